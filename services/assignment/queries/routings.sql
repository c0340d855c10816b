-- keep_routings
-- Why walks went where they went, a row for each time.
INSERT INTO routing (
    force_id, id, walk_id, at, latitude, longitude, places, area_id, team_id, boundary_version, how, distance_m, share,
    others, triage_reason, by_whom
)
SELECT
    force_id, id, walk_id, at, latitude, longitude, places, area_id, team_id, boundary_version, how, distance_m, share,
    string_to_array(others, ' '), triage_reason, by_whom
FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::float8[], $6::float8[], $7::integer[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::float8[], $13::float8[], $14::text[], $15::text[], $16::text[]
) AS given (
    force_id, id, walk_id, at, latitude, longitude, places, area_id, team_id, boundary_version, how, distance_m, share,
    others, triage_reason, by_whom
);

-- routings_of_walk
-- Why a walk went where it went, the last time first.
SELECT * FROM routing WHERE force_id = $1 AND walk_id = $2 ORDER BY at DESC, id DESC LIMIT $3;

-- erase_routings
-- Of walks of which no woman is left, where exactly and when they were routed goes; area, team and version stay.
UPDATE routing SET
    latitude = round(latitude::numeric, 1), longitude = round(longitude::numeric, 1), places = 1, distance_m = NULL,
    share = NULL, others = '{}', at = date_trunc('month', at, 'Europe/London')
WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));
