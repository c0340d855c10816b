-- keep_passed_on
-- How walks were passed on. A walk whose escalation stands is not escalated a second time.
INSERT INTO passed_on (
    force_id, id, walk_id, at, what, why, by_id, from_officer_id, to_officer_id, from_team_id, to_team_id
)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[]
)
ON CONFLICT DO NOTHING
RETURNING walk_id;

-- settle_escalations
-- Somebody sees to these walks: they are not escalated any more.
UPDATE passed_on SET settled_at = $3
WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
    AND what IN ('to-coordinator', 'not-taken') AND settled_at IS NULL;

-- passed_on_of_walks
-- The history of these walks, the oldest first.
SELECT * FROM passed_on WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) ORDER BY at, id;

-- escalated_walks
-- Walks of a force that a coordinator was asked to see to and that still wait for an officer, longest first; none of a woman who excludes whoever asks.
SELECT p.* FROM passed_on p JOIN walk w ON w.force_id = p.force_id AND w.id = p.walk_id
WHERE p.force_id = $1 AND p.what IN ('to-coordinator', 'not-taken') AND p.settled_at IS NULL AND w.state = 'routed'
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = w.force_id AND r.walk_id = w.id
            AND r.contact -> 'excluded_officers' ? $2 OFFSET 0
    )
ORDER BY p.at, p.id LIMIT $3 OFFSET $4;

-- escalations_waiting
-- How many walks wait for a coordinator, and why; for metrics.
SELECT p.force_id, p.what, count(*) AS many
FROM passed_on p JOIN walk w ON w.force_id = p.force_id AND w.id = p.walk_id
WHERE p.what IN ('to-coordinator', 'not-taken') AND p.settled_at IS NULL AND w.state = 'routed'
GROUP BY p.force_id, p.what;
