-- erase_requests
-- Of these requests the counts stay; the place is brought to about ten kilometres, coarser than any area of ours.
UPDATE request SET
    latitude = round(latitude::numeric, 1), longitude = round(longitude::numeric, 1), place_from_postcode = false,
    route = NULL, lives_or_works_here = false, reasons = '{}', availability = '{"days": [], "parts": []}',
    contact = '{"channels": [], "times": [], "stopped": true}', group_walk_welcome = false, language = 'en',
    requested_at = date_trunc('month', requested_at, 'Europe/London'),
    withdrawn_at = date_trunc('month', withdrawn_at, 'Europe/London')
WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- drop_open_contacts
-- Calls and visits to whom nobody may call any more.
DELETE FROM follow_up
WHERE (force_id, request_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND completed_at IS NULL
RETURNING force_id, id;

-- erase_walks
-- Walks of which no woman is left: where and when they were asked for, and where to meet, go the way of their requests.
UPDATE walk SET
    latitude = round(latitude::numeric, 1), longitude = round(longitude::numeric, 1), distance_m = NULL,
    requested_at = date_trunc('month', requested_at, 'Europe/London'), meeting_place = NULL, proposal = NULL,
    not_held = NULL
WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- erase_concerns
-- The words of the concerns of these walks, and the names of their places; whose there were any.
UPDATE concern SET words = NULL, place_name = NULL
WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND num_nonnulls(words, place_name) > 0
RETURNING force_id, id;
