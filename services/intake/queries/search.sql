-- found_by_reference
-- A request by its reference.
SELECT id, reference, state, requested_at, participant_id FROM walk_request WHERE force_id = $1 AND reference = $2;

-- found_by_digest
-- Requests of whoever is recognised by an address or number.
SELECT r.id, r.reference, r.state, r.requested_at, r.participant_id
FROM participant_digest AS d
JOIN walk_request AS r ON r.force_id = d.force_id AND r.participant_id = d.participant_id
WHERE d.force_id = $1 AND d.digest = $2 ORDER BY r.requested_at DESC, r.id LIMIT 200;

-- found_of_same
-- A request, and all others of the woman who made it.
SELECT id, reference, state, requested_at, participant_id FROM walk_request
WHERE force_id = $1 AND participant_id = (SELECT participant_id FROM walk_request WHERE force_id = $1 AND id = $2)
ORDER BY requested_at DESC, id;

-- found_of_people
-- The requests of these women.
SELECT id, reference, state, requested_at, participant_id FROM walk_request
WHERE force_id = $1 AND participant_id = ANY ($2::uuid[]) ORDER BY requested_at DESC, id;

-- people_from
-- Who asked, sealed, from a place on.
SELECT p.id, p.sealed, k.master, k.wrapped_key
FROM participant AS p JOIN participant_key AS k ON k.force_id = p.force_id AND k.participant_id = p.id
WHERE p.force_id = $1 AND p.id > $2 ORDER BY p.id LIMIT $3;

-- people_counted
-- How many women there are, up to a place and in all.
SELECT count(*) FILTER (WHERE id <= $2) AS passed, count(*) AS everybody FROM participant WHERE force_id = $1;
