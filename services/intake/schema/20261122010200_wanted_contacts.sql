-- migrate:up

-- Whom an officer is to call or visit, sealed, until it is told in a transaction of its own: written and told at once,
-- the flag that led to it and the request it is about would bear the same transaction's mark.
CREATE TABLE wanted_contact (
    force_id text NOT NULL,
    id uuid NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('wanted_contact');

-- migrate:down
DROP TABLE wanted_contact;
