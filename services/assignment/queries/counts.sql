-- walks_by_state
-- How many walks that are not over stand where; for metrics. Those that are over are never looked at again for this.
SELECT force_id, state, count(*) AS many FROM walk
WHERE state IN ('triage', 'routed', 'taken', 'arranged') GROUP BY force_id, state;

-- walks_late
-- How many walks have passed the day they were to be arranged by; for metrics.
SELECT force_id, count(*) AS many FROM walk
WHERE state IN ('triage', 'routed', 'taken') AND arrange_by < $1 GROUP BY force_id;

-- follow_ups_waiting
-- How many follow-ups are open and how many of those overdue; for metrics.
SELECT force_id, count(*) AS open, count(*) FILTER (WHERE due_at < $1) AS overdue
FROM follow_up WHERE completed_at IS NULL GROUP BY force_id;

-- work_waiting
-- What waits in a force, for the first page: in triage, to be taken, officers not back, follow-ups open and overdue.
SELECT
    (SELECT count(*) FROM walk WHERE force_id = $1 AND state = 'triage') AS triage,
    (SELECT count(*) FROM walk WHERE force_id = $1 AND state = 'routed') AS routed,
    (SELECT count(*) FROM passed_on p JOIN walk w ON w.force_id = p.force_id AND w.id = p.walk_id
        WHERE p.force_id = $1 AND p.what IN ('to-coordinator', 'not-taken') AND p.settled_at IS NULL
            AND w.state = 'routed') AS escalated,
    (SELECT count(*) FROM walk WHERE force_id = $1 AND state = 'arranged' AND check_in_at <= $2) AS not_back,
    (SELECT count(*) FROM follow_up WHERE force_id = $1 AND completed_at IS NULL) AS open,
    (SELECT count(*) FROM follow_up WHERE force_id = $1 AND completed_at IS NULL AND due_at < $2) AS overdue;
