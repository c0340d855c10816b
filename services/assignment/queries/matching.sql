-- walks_of_officers
-- What these officers have in hand beside one walk, as first or second, when they are on a walk, and what they proposed.
SELECT b.officer_id, b.starts_at, b.busy_until, w.proposal
FROM booking b JOIN walk w ON w.force_id = b.force_id AND w.id = b.walk_id
WHERE b.force_id = $1 AND b.officer_id = ANY ($2::text[]) AND b.walk_id <> $3;

-- who_knows_her
-- Which officers reached a woman of this walk, and which let it go.
SELECT a.by_id AS officer_id, 'reached' AS how FROM contact_attempt a
WHERE a.force_id = $1 AND a.outcome = 'reached'
    AND a.request_id IN (SELECT r.id FROM request r WHERE r.force_id = $1 AND r.walk_id = $2)
UNION
SELECT p.from_officer_id, 'let-go' FROM passed_on p
WHERE p.force_id = $1 AND p.walk_id = $2 AND p.from_officer_id IS NOT NULL;
