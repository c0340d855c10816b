-- migrate:up

-- What is said of a walk as a whole, while it is held and until it is closed.
CREATE TABLE walk_record (
    force_id text NOT NULL,
    walk_id uuid NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    -- {"points": [{"latitude": …, "longitude": …}, …]}: the way they walked.
    route jsonb,
    came text[],
    strategy_discussed boolean,
    streetsafe_shown boolean,
    streetsafe_used boolean,
    signposted boolean,
    sticker_handed_over boolean,
    PRIMARY KEY (force_id, walk_id),
    FOREIGN KEY (force_id, walk_id) REFERENCES walk (force_id, id)
);
COMMENT ON COLUMN walk_record.came IS 'The requests whose women came; NULL where nobody has said.';
COMMENT ON COLUMN walk_record.sticker_handed_over IS 'Whether a survey sticker was handed over: never which.';
CALL force_rows('walk_record');

-- Photographs in the attachment store. A row nobody refers to goes, with its file, when its timer fires.
CREATE TABLE photo (
    force_id text NOT NULL,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    id uuid NOT NULL,
    PRIMARY KEY (force_id, digest)
);
COMMENT ON COLUMN photo.id IS 'The first half of the digest, by which timers name it.';
CREATE INDEX photo_by_id ON photo (force_id, id);
CALL force_rows('photo');

-- Concerns as they were noted. What of them partners were told stands in `concern`, and nowhere else.
CREATE TABLE noted_concern (
    force_id text NOT NULL,
    id uuid NOT NULL,
    walk_id uuid NOT NULL,
    category text,
    latitude double precision,
    longitude double precision,
    place_name text,
    time_of_day text,
    severity text,
    words text CHECK (length(words) <= 20000),
    suggests text CHECK (length(suggests) <= 20000),
    patrol_wanted boolean NOT NULL DEFAULT false,
    photo text,
    photo_looked_at boolean NOT NULL DEFAULT false,
    sent text NOT NULL,
    noted_at timestamptz NOT NULL,
    noted_by text NOT NULL,
    changed_at timestamptz,
    passed_at timestamptz,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, walk_id) REFERENCES walk (force_id, id),
    FOREIGN KEY (force_id, photo) REFERENCES photo (force_id, digest),
    -- Taken off the record: nothing of what was said is left.
    CHECK (num_nonnulls(category, latitude, longitude, severity) IN (0, 4)),
    CHECK (category IS NOT NULL OR num_nonnulls(place_name, time_of_day, words, suggests, photo) = 0),
    CHECK (photo IS NULL OR photo_looked_at),
    CHECK (passed_at IS NULL OR category IS NOT NULL)
);
COMMENT ON COLUMN noted_concern.sent IS 'The digest of what was sent first: the same concern sent twice is one.';
CREATE INDEX noted_concern_of_walk ON noted_concern (force_id, walk_id);
CREATE INDEX noted_concern_of_photo ON noted_concern (force_id, photo) WHERE photo IS NOT NULL;
CALL force_rows('noted_concern');

ALTER TABLE concern ADD COLUMN withdrawn_at timestamptz, ADD COLUMN reopened_at timestamptz;

-- migrate:down
ALTER TABLE concern DROP COLUMN withdrawn_at, DROP COLUMN reopened_at;
DROP TABLE noted_concern, photo, walk_record;
