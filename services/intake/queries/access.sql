-- copy_of_requests
-- All requests of the woman who made this one, and who she is, sealed.
SELECT p.id AS participant_id, k.master, k.wrapped_key, p.sealed, p.created_at, p.stopped_at,
       p.spoken_at, r.id, r.reference, r.state, r.wanted,
       r.times, r.walk_id, r.team_id, r.officer_id, r.caller_id, r.requested_at, r.followed_up_at, r.moved_at,
       r.contact_wanted_at, r.on_hold_at, r.pair
FROM participant AS p JOIN walk_request AS r ON r.force_id = p.force_id AND r.participant_id = p.id
    JOIN participant_key AS k ON k.force_id = p.force_id AND k.participant_id = p.id
WHERE (p.force_id, p.id) IN (SELECT force_id, participant_id FROM walk_request WHERE force_id = $1 AND id = $2)
ORDER BY r.requested_at, r.id;

-- copy_of_messages
-- What was or is to be said to her, and what became of it.
SELECT m.id, m.kind, m.channel, m.refused, m.sealed, m.created_at, m.attempt, m.account, m.asked_at, m.notify_id, m.receipt,
       m.receipt_at, s.state, s.due_at, s.tries, s.ended_at, s.fault
FROM message AS m LEFT JOIN sending AS s ON s.force_id = m.force_id AND s.id = m.id
WHERE m.force_id = $1 AND m.request_id = ANY ($2::uuid[])
ORDER BY m.created_at, m.id;

-- copy_of_concerns
-- Concerns recorded on her walks, by id.
SELECT concern_id, resolved_at FROM walk_concern WHERE force_id = $1 AND walk_id = ANY ($2::uuid[]) ORDER BY concern_id;

-- copy_of_accepted_keys
-- When her requests came in.
SELECT accepted_at FROM accepted_key WHERE force_id = $1 AND request_id = ANY ($2::uuid[]) ORDER BY accepted_at;

-- copy_of_log
-- Who did what with her data, and why.
SELECT at, actor, action, reason, recipient FROM audit
WHERE force_id = $1 AND subject = ANY ($2::text[]) ORDER BY at, id;

-- copy_of_unconfirmed
-- What waits with requests that are not confirmed yet.
SELECT request_id, sealed FROM unconfirmed WHERE force_id = $1 AND request_id = ANY ($2::uuid[]) ORDER BY request_id;
