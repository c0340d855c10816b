-- migrate:up

-- How an officer or coordinator wants to be told of new and changed work.
CREATE TABLE notice_choice (
    force_id text NOT NULL,
    person_id text NOT NULL,
    email text NOT NULL CHECK (length(email) <= 254),
    rhythm text NOT NULL CHECK (rhythm IN ('at-once', 'daily', 'never')),
    quiet_from time,
    quiet_to time,
    new_work boolean NOT NULL,
    is_coordinator boolean NOT NULL,
    PRIMARY KEY (force_id, person_id),
    CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);
COMMENT ON COLUMN notice_choice.new_work IS 'Also of walks that wait for any officer of the team; of a coordinator, of those that are escalated.';
CALL force_rows('notice_choice');

-- What somebody is still to be told: which walk, and what happened to it. Nothing of hers; gone once it is told.
CREATE TABLE notice (
    force_id text NOT NULL,
    id uuid NOT NULL,
    person_id text NOT NULL,
    walk_id uuid NOT NULL,
    news text NOT NULL,
    due_at timestamptz NOT NULL,
    taken_by uuid,
    PRIMARY KEY (force_id, id)
);
COMMENT ON COLUMN notice.taken_by IS 'The sending whose message tells it: of several that are sent at once, one does.';
CREATE INDEX notice_of_person ON notice (force_id, person_id, due_at);
CALL force_rows('notice');

-- migrate:down
DROP TABLE notice, notice_choice;
