-- migrate:up

-- The pair id of answers that are to be withdrawn, sealed, until the night: told in the transaction that erases her, the
-- id of her answers would stand beside that of her request.
CREATE TABLE withdrawn_answers (
    force_id text NOT NULL,
    id uuid NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('withdrawn_answers');

-- migrate:down
DROP TABLE withdrawn_answers;
