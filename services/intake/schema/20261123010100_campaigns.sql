-- migrate:up

-- How a woman heard of the scheme, once a request: a count for the force, with nothing that leads to her request.
CREATE TABLE heard_by (
    force_id text NOT NULL,
    id uuid NOT NULL,
    campaign text NOT NULL,
    month text NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('heard_by');

-- migrate:down
DROP TABLE heard_by;
