-- known_requests
-- Which of these requests have a walk already.
SELECT id FROM request WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- walks_of_requests
-- Which walk answers each of these requests.
SELECT id, walk_id FROM request WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- requests_of_walks
-- The requests these walks answer, oldest first.
SELECT * FROM request WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY requested_at, id;

-- save_requests
-- Requests as they now are: she may change all of one but when she first made it.
INSERT INTO request (
    force_id, id, walk_id, requested_at, latitude, longitude, place_from_postcode, lives_or_works_here, reasons,
    availability, contact, group_walk_welcome, language, withdrawn_at, amended_at, route
)
SELECT
    force_id, id, walk_id, requested_at, latitude, longitude, place_from_postcode, lives_or_works_here,
    string_to_array(reasons, ' '), availability, contact, group_walk_welcome, language, withdrawn_at, amended_at, route
FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::float8[], $6::float8[], $7::boolean[], $8::boolean[],
    $9::text[], $10::jsonb[], $11::jsonb[], $12::boolean[], $13::text[], $14::timestamptz[], $15::timestamptz[],
    $16::jsonb[]
) AS given (
    force_id, id, walk_id, requested_at, latitude, longitude, place_from_postcode, lives_or_works_here, reasons,
    availability, contact, group_walk_welcome, language, withdrawn_at, amended_at, route
)
ON CONFLICT (force_id, id) DO UPDATE SET
    latitude = excluded.latitude, longitude = excluded.longitude, place_from_postcode = excluded.place_from_postcode,
    lives_or_works_here = excluded.lives_or_works_here, reasons = excluded.reasons,
    availability = excluded.availability, contact = excluded.contact,
    group_walk_welcome = excluded.group_walk_welcome, language = excluded.language,
    withdrawn_at = excluded.withdrawn_at, amended_at = excluded.amended_at, route = excluded.route;
