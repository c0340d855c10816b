-- migrate:up

-- One invitation a walk and survey: a second completion of the same walk invites nobody again.
CREATE TABLE invitation (
    force_id text NOT NULL,
    walk_id uuid NOT NULL,
    survey text NOT NULL,
    id uuid NOT NULL,
    area_id text NOT NULL,
    women integer NOT NULL CHECK (women > 0),
    month text NOT NULL,
    send_from timestamptz NOT NULL,
    PRIMARY KEY (force_id, walk_id, survey)
);
CALL force_rows('invitation');

-- What somebody answered, under a random pair id: no walk, no area, no time finer than the month, and nothing that
-- stands in any other table. Written anew in random order every night, so that neither the place of a row nor the
-- transaction it was written by leads to a receipt or a flag.
CREATE TABLE answers (
    force_id text NOT NULL,
    survey text NOT NULL,
    pair_id uuid NOT NULL,
    version integer NOT NULL,
    month text NOT NULL,
    answers jsonb NOT NULL,
    PRIMARY KEY (force_id, survey, pair_id)
);
COMMENT ON COLUMN answers.month IS 'Europe/London; the finest time kept.';
CALL force_rows('answers');

-- A survey begun and not finished, under a keyed hash that only her link can form.
CREATE TABLE draft (
    force_id text NOT NULL,
    id bytea NOT NULL,
    month text NOT NULL,
    answers jsonb NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('draft');

-- That an answer worried us, and why, never in her words and without a way back to the answers.
CREATE TABLE flag (
    force_id text NOT NULL,
    id uuid NOT NULL,
    survey text NOT NULL,
    reasons text[] NOT NULL,
    urgency text NOT NULL,
    month text NOT NULL,
    has_contact boolean NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('flag');

-- migrate:down
DROP TABLE flag, draft, answers, invitation;
