-- retention_participant
-- Women all of whose requests came to their end before this: one request of each.
SELECT (array_agg(id ORDER BY id))[1] AS id, max(since) AS since, min(kept) AS kept
FROM request_end WHERE force_id = $1
GROUP BY participant_id HAVING bool_and(ended) AND max(since) < $2

-- retention_unarranged
-- Women who asked, with whom no walk came about, and of whom nothing was heard since before this: one request of each.
SELECT (array_agg(id ORDER BY id))[1] AS id, max(since) AS since, min(kept) AS kept
FROM request_end WHERE force_id = $1
GROUP BY participant_id HAVING NOT bool_and(ended) AND max(since) < $2

-- retention_message
-- What was said in messages that left, or never will, before this.
SELECT m.id, coalesce(s.ended_at, m.created_at) AS since, CASE WHEN r.on_hold_at IS NOT NULL THEN 'on hold' END AS kept
FROM message AS m
JOIN walk_request AS r ON r.force_id = m.force_id AND r.id = m.request_id
LEFT JOIN sending AS s ON s.force_id = m.force_id AND s.id = m.id
WHERE m.force_id = $1 AND m.sealed IS NOT NULL AND coalesce(s.state, 'cancelled') <> 'due'
    AND coalesce(s.ended_at, m.created_at) < $2

-- retention_letter
-- Letters that should have been posted before this and were not.
SELECT m.id, s.due_at AS since, CASE WHEN r.on_hold_at IS NOT NULL THEN 'on hold' END AS kept
FROM sending AS s
JOIN message AS m ON m.force_id = s.force_id AND m.id = s.id
JOIN walk_request AS r ON r.force_id = m.force_id AND r.id = m.request_id
WHERE s.force_id = $1 AND s.channel = 'letter' AND s.state = 'due' AND s.due_at < $2

-- empty_messages
-- What these said is not kept any more; that they were sent is.
UPDATE message SET sealed = NULL WHERE force_id = $1 AND id = ANY ($2::uuid[]);

-- refuse_letters
-- They will not be posted any more: the reason stays, what they would have said goes.
UPDATE message SET refused = $3, sealed = NULL WHERE force_id = $1 AND id = ANY ($2::uuid[]);

-- put_on_hold
-- Nothing of this request is erased until it is let go again.
UPDATE walk_request SET on_hold_at = $3 WHERE force_id = $1 AND id = $2;

-- held_back
-- Whether one of these requests is on hold.
SELECT EXISTS (SELECT FROM walk_request WHERE force_id = $1 AND id = ANY ($2::uuid[]) AND on_hold_at IS NOT NULL);
