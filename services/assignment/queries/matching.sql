-- walks_of_officers
-- What these officers have in hand beside one walk, when they are on a walk, and what they proposed.
SELECT officer_id, starts_at, busy_until, proposal FROM walk
WHERE force_id = $1 AND officer_id = ANY ($2::text[]) AND state IN ('taken', 'arranged') AND id <> $3;

-- who_knows_her
-- Which officers reached a woman of this walk, and which let it go.
SELECT a.by_id AS officer_id, 'reached' AS how FROM contact_attempt a
WHERE a.force_id = $1 AND a.outcome = 'reached'
    AND a.request_id IN (SELECT r.id FROM request r WHERE r.force_id = $1 AND r.walk_id = $2)
UNION
SELECT p.from_officer_id, 'let-go' FROM passed_on p
WHERE p.force_id = $1 AND p.walk_id = $2 AND p.from_officer_id IS NOT NULL;
