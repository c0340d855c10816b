-- keep_attempts
-- Attempts to reach women, as they were logged.
INSERT INTO contact_attempt (force_id, id, request_id, walk_id, at, by_id, way, outcome)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[], $8::text[]
);

-- attempts_of_walks
-- The attempts to reach the women of these walks, the latest first.
SELECT * FROM contact_attempt WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY at DESC, id;

-- erase_attempts
-- What was tried to reach women who were erased.
DELETE FROM contact_attempt WHERE (force_id, request_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));
