-- lock_officers
-- Officers' entries, locked in one order: two arrangements of one officer take turns rather than wait for each other.
SELECT id FROM officer WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY force_id, id FOR NO KEY UPDATE;

-- walks_arranged_at
-- Which of these walks cannot be held at these times: an officer of theirs is on another arranged walk that overlaps.
-- OFFSET 0 has bookings looked up officer by officer: turned into a join, all bookings of the force are read.
SELECT DISTINCT wanted.walk_id
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])
    AS wanted (force_id, officer_id, walk_id, starts_at, busy_until)
WHERE EXISTS (
    SELECT FROM booking AS b
    WHERE b.force_id = wanted.force_id AND b.officer_id = wanted.officer_id AND b.walk_id <> wanted.walk_id
        AND b.starts_at IS NOT NULL
        AND tstzrange(b.starts_at, b.busy_until) && tstzrange(wanted.starts_at, wanted.busy_until) OFFSET 0
);
