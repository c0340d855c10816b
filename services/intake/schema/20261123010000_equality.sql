-- migrate:up

-- Her answers to the equality questions, until those of eight women or more leave together. Nothing here is the same as
-- in her request, nor as in her other answers: the id is random, the content sealed and padded, the time a day.
CREATE TABLE waiting_equality (
    force_id text NOT NULL,
    id uuid NOT NULL,
    sealed bytea NOT NULL,
    answered_on date NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('waiting_equality');

-- migrate:down
DROP TABLE waiting_equality;
