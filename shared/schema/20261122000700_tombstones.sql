-- migrate:up

-- Whose data was erased: an id and nothing else. Of 'all' every later event of that key has no effect; of 'words' it has,
-- without the words it may bring. Kept for good: a database restored from before it has to learn of it again.
CREATE TABLE tombstone (
    force_id text NOT NULL,
    id uuid NOT NULL,
    what text NOT NULL CHECK (what IN ('all', 'words')),
    erased_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('tombstone');

-- Its row stays, for the numbers of its key have no gap; there is nothing in it, and a replay leaves it out.
ALTER TABLE outbox_log ADD COLUMN scrubbed boolean NOT NULL DEFAULT false;

-- migrate:down
ALTER TABLE outbox_log DROP COLUMN scrubbed;
DROP TABLE tombstone;
