-- standing
-- What she wants and what is proposed and agreed, sealed, of requests by id.
SELECT id, requested_at, wanted, times FROM walk_request WHERE id = ANY ($1::uuid[]) ORDER BY force_id, id;

-- hold_requests
-- Requests held still, in one order, while events of their walks are noted.
SELECT id FROM walk_request WHERE id = ANY ($1::uuid[]) ORDER BY force_id, id FOR UPDATE;

-- save_times
-- When and where the walk is to be, and the times proposed.
UPDATE walk_request AS r SET times = i.times
FROM unnest($1::text[], $2::uuid[], $3::bytea[]) AS i (force_id, id, times)
WHERE r.force_id = i.force_id AND r.id = i.id;

-- save_wanted
-- Where and when she wants to walk now.
UPDATE walk_request SET wanted = $3 WHERE force_id = $1 AND id = $2;

-- let_go
-- The request waits for a team and an officer anew: nobody has her contact card until one is told.
UPDATE walk_request SET state = 'received', officer_id = NULL
WHERE force_id = $1 AND id = $2 AND state IN ('routed', 'taken', 'arranged');
