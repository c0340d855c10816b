-- migrate:up

-- Answers to equality questions, one a row and each under a random id of its own: no two of them can be told to be one
-- woman's, and none leads to a request, a walk, a survey or a time finer than the month.
CREATE TABLE equality_answer (
    force_id text NOT NULL,
    id uuid NOT NULL,
    month text NOT NULL,
    question text NOT NULL,
    answer text NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('equality_answer');

-- migrate:down
DROP TABLE equality_answer;
