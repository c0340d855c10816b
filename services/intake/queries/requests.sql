-- requests
-- Requests by id, with what opens them.
SELECT r.force_id, r.id, r.reference, r.state, r.walk_id, r.officer_id, r.caller_id, r.participant_id, r.pair,
       k.master, k.wrapped_key, p.sealed
FROM walk_request AS r JOIN participant AS p ON p.force_id = r.force_id AND p.id = r.participant_id
    JOIN participant_key AS k ON k.force_id = p.force_id AND k.participant_id = p.id
WHERE r.id = ANY ($1::uuid[])
ORDER BY r.force_id, r.id;

-- requests_of_walks
-- The requests that these walks answer, with what opens them.
SELECT r.force_id, r.id, r.reference, r.state, r.walk_id, r.officer_id, r.caller_id, r.participant_id, r.pair,
       k.master, k.wrapped_key, p.sealed
FROM walk_request AS r JOIN participant AS p ON p.force_id = r.force_id AND p.id = r.participant_id
    JOIN participant_key AS k ON k.force_id = p.force_id AND k.participant_id = p.id
WHERE r.walk_id = ANY ($1::uuid[])
ORDER BY r.force_id, r.id;

-- lock_request
-- One request held still while she changes it.
SELECT id FROM walk_request WHERE force_id = $1 AND id = $2 FOR UPDATE;

-- move_requests
-- How far requests have come with their walk. What she withdrew stays withdrawn.
UPDATE walk_request AS r
SET state = CASE WHEN r.state = 'withdrawn' THEN r.state ELSE i.state END,
    walk_id = i.walk_id,
    team_id = coalesce(i.team_id, r.team_id),
    officer_id = i.officer_id,
    walk_as_of = CASE WHEN r.walk_id = i.walk_id THEN r.walk_as_of ELSE i.at END,
    moved_at = $8
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[])
    AS i (force_id, id, state, walk_id, team_id, officer_id, at)
WHERE r.force_id = i.force_id AND r.id = i.id;

-- walks_as_of
-- Which walk answers each of these requests, and since when.
SELECT id, walk_id, walk_as_of FROM walk_request WHERE id = ANY ($1::uuid[]) AND walk_as_of IS NOT NULL;

-- withdraw_request
-- She no longer wants the walk.
UPDATE walk_request SET state = 'withdrawn', moved_at = $3 WHERE force_id = $1 AND id = $2;

-- note_heard_of
-- She was heard of: the time for which her request is kept begins anew.
UPDATE walk_request SET moved_at = $3 WHERE force_id = $1 AND id = $2;
