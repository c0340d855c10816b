-- move_requests
-- Requests that another walk answers from now on.
UPDATE request AS r SET walk_id = given.walk_id
FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS given (force_id, id, walk_id)
WHERE r.force_id = given.force_id AND r.id = given.id AND r.walk_id <> given.walk_id;

-- move_follow_ups
-- Calls and visits go with the woman they are about.
UPDATE follow_up AS f SET walk_id = given.walk_id
FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS given (force_id, id, walk_id)
WHERE f.force_id = given.force_id AND f.request_id = given.id AND f.walk_id <> given.walk_id;

-- move_attempts
-- What was tried to reach her goes with her.
UPDATE contact_attempt AS a SET walk_id = given.walk_id
FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS given (force_id, id, walk_id)
WHERE a.force_id = given.force_id AND a.request_id = given.id AND a.walk_id <> given.walk_id;

-- walks_welcoming_others
-- Walks of a team that have no time yet and of which a woman would walk with others, none that excludes whoever asks.
SELECT w.* FROM walk AS w
WHERE w.force_id = $1 AND w.team_id = $2 AND w.state IN ('routed', 'taken')
    AND EXISTS (
        SELECT FROM request AS r WHERE r.force_id = w.force_id AND r.walk_id = w.id AND r.group_walk_welcome OFFSET 0
    )
    AND NOT EXISTS (
        SELECT FROM request AS r WHERE r.force_id = w.force_id AND r.walk_id = w.id
            AND r.contact -> 'excluded_officers' ? $3 OFFSET 0
    )
ORDER BY w.requested_at, w.id LIMIT $4;
