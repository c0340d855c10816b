-- record_of_walk
-- What was said of a walk as a whole.
SELECT * FROM walk_record WHERE force_id = $1 AND walk_id = $2;

-- save_record
-- The same as it stands now.
INSERT INTO walk_record (
    force_id, walk_id, started_at, ended_at, route, came, strategy_discussed, streetsafe_shown, streetsafe_used,
    signposted, sticker_handed_over
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (force_id, walk_id) DO UPDATE SET
    started_at = excluded.started_at, ended_at = excluded.ended_at, route = excluded.route, came = excluded.came,
    strategy_discussed = excluded.strategy_discussed, streetsafe_shown = excluded.streetsafe_shown,
    streetsafe_used = excluded.streetsafe_used, signposted = excluded.signposted,
    sticker_handed_over = excluded.sticker_handed_over;

-- noted_on_walk
-- What was noted on a walk, in the order it was noted, without what was taken off again.
SELECT * FROM noted_concern WHERE force_id = $1 AND walk_id = $2 AND category IS NOT NULL ORDER BY noted_at, id;

-- noted_by_id
-- One concern as it was noted, locked. Its id may have been used on any walk.
SELECT * FROM noted_concern WHERE force_id = $1 AND id = $2 FOR UPDATE;

-- save_noted
-- Concerns as they are noted now.
INSERT INTO noted_concern (
    force_id, id, walk_id, category, latitude, longitude, place_name, time_of_day, severity, words, suggests,
    patrol_wanted, photo, photo_looked_at, sent, noted_at, noted_by, changed_at, passed_at
)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::float8[], $6::float8[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::boolean[], $13::text[], $14::boolean[], $15::text[], $16::timestamptz[],
    $17::text[], $18::timestamptz[], $19::timestamptz[]
)
ON CONFLICT (force_id, id) DO UPDATE SET
    category = excluded.category, latitude = excluded.latitude, longitude = excluded.longitude,
    place_name = excluded.place_name, time_of_day = excluded.time_of_day, severity = excluded.severity,
    words = excluded.words, suggests = excluded.suggests, patrol_wanted = excluded.patrol_wanted,
    photo = excluded.photo, photo_looked_at = excluded.photo_looked_at, sent = excluded.sent,
    changed_at = excluded.changed_at, passed_at = excluded.passed_at;

-- keep_photo
-- A photograph is about to be put into the store. One that is just going is waited for, and begins anew.
INSERT INTO photo (force_id, digest, id) VALUES ($1, $2, $3)
ON CONFLICT (force_id, digest) DO UPDATE SET id = excluded.id;

-- known_photo
-- Whether a photograph arrived; held until the end of the transaction, so that it does not go meanwhile.
SELECT digest FROM photo WHERE force_id = $1 AND digest = $2 FOR KEY SHARE;

-- lock_photos
-- These photographs, so that nobody begins to refer to one of them.
SELECT digest FROM photo WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY force_id, digest FOR UPDATE;

-- photos_let_go
-- Of these photographs those that nobody refers to any more; they are locked.
SELECT p.force_id, p.digest FROM photo p
WHERE (p.force_id, p.id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
    AND NOT EXISTS (SELECT FROM noted_concern n WHERE n.force_id = p.force_id AND n.photo = p.digest OFFSET 0);

-- drop_photos
-- Photographs whose files are gone.
DELETE FROM photo WHERE (force_id, digest) IN (SELECT * FROM unnest($1::text[], $2::text[]));

-- concern_by_id
-- A concern that partners were told of, locked.
SELECT * FROM concern WHERE force_id = $1 AND id = $2 FOR UPDATE;

-- settle_concern
-- When a concern was withdrawn, or opened again.
UPDATE concern SET withdrawn_at = $3, reopened_at = $4 WHERE force_id = $1 AND id = $2;

-- erase_noted
-- What was noted on these walks; the photographs that were among it.
WITH hers AS (
    SELECT force_id, id, photo FROM noted_concern
    WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
    ORDER BY force_id, id FOR UPDATE
), gone AS (
    UPDATE noted_concern n SET
        words = NULL, suggests = NULL, place_name = NULL, photo = NULL, photo_looked_at = false, sent = '',
        noted_at = date_trunc('month', n.noted_at, 'Europe/London'), changed_at = NULL
    FROM hers WHERE n.force_id = hers.force_id AND n.id = hers.id
)
SELECT force_id, photo FROM hers WHERE photo IS NOT NULL;

-- erase_records
-- Of the records of these walks: the way, and who came.
UPDATE walk_record SET route = NULL, came = NULL
WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));
