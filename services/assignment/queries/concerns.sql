-- save_concerns
-- Concerns raised on walks.
INSERT INTO concern (
    force_id, id, walk_id, category, latitude, longitude, place_name, time_of_day, severity, words, raised_on
)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::float8[], $6::float8[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::date[]
);

-- concerns_of_walks
-- The concerns raised on these walks, in the order they were recorded.
SELECT * FROM concern WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) ORDER BY id;

-- known_concerns
-- Which of these concerns were raised here.
SELECT id FROM concern WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));
