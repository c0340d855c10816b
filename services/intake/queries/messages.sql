-- add_messages
-- What is to be said to her, or why nothing may be.
INSERT INTO message (force_id, id, request_id, kind, channel, refused, sealed, created_at)
SELECT i.*, $8 FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[]) AS i;

-- unsent_messages
-- Messages of these requests and kinds that have not left yet.
SELECT m.force_id, m.id
FROM message AS m JOIN sending AS s ON s.force_id = m.force_id AND s.id = m.id
WHERE m.request_id = ANY ($1::uuid[]) AND m.kind = ANY ($2::text[]) AND s.state = 'due'
ORDER BY m.force_id, m.id;

-- message_to_send
-- One message, with the request it is about and what opens it; and whether one of these kinds has been made since.
SELECT m.kind, m.channel, m.sealed AS facts,
       m.kind = ANY ($3::text[]) AND EXISTS (
           SELECT FROM message AS l
           WHERE l.force_id = m.force_id AND l.request_id = m.request_id AND l.kind = ANY ($3::text[])
             AND l.kind <> 'reminder' AND (l.created_at, l.id) > (m.created_at, m.id)
       ) AS superseded,
       r.force_id, r.id, r.reference, r.state, r.walk_id, r.officer_id,
       r.caller_id, r.participant_id, r.pair, k.master, k.wrapped_key, p.sealed
FROM message AS m
JOIN walk_request AS r ON r.force_id = m.force_id AND r.id = m.request_id
JOIN participant AS p ON p.force_id = r.force_id AND p.id = r.participant_id
JOIN participant_key AS k ON k.force_id = p.force_id AND k.participant_id = p.id
WHERE m.force_id = $1 AND m.id = $2;

-- refuse_message
-- It may leave no longer: the reason stays, what it would have said goes.
UPDATE message SET refused = $3, sealed = NULL WHERE force_id = $1 AND id = $2;

-- hold_message
-- What became of a message so far, held still.
SELECT m.request_id, m.kind, m.channel, m.attempt, m.asked_at, m.account, m.notify_id, m.receipt, s.state, s.ended_at
FROM message AS m JOIN sending AS s ON s.force_id = m.force_id AND s.id = m.id
WHERE m.force_id = $1 AND m.id = $2
FOR UPDATE OF m;

-- ask_notify
-- GOV.UK Notify is being asked to send it: until it answers, the message is perhaps sent.
UPDATE message SET asked_at = $3, account = $4 WHERE force_id = $1 AND id = $2;

-- keep_notify
-- What Notify said: its id for the message, or none where it did not take it.
UPDATE message SET asked_at = NULL, notify_id = $3 WHERE force_id = $1 AND id = $2;

-- keep_receipt
-- What became of it in the end.
UPDATE message SET receipt = $3, receipt_at = $4, asked_at = NULL WHERE force_id = $1 AND id = $2;

-- next_attempt
-- It did not arrive and is sent once more, under another reference.
UPDATE message SET attempt = attempt + 1, asked_at = NULL, notify_id = NULL WHERE force_id = $1 AND id = $2;

-- messages_of_request
-- What she was told, or not, newest first.
SELECT m.id, m.kind, m.channel, m.refused, m.receipt, m.asked_at, m.created_at, s.state, s.due_at, s.ended_at, s.fault
FROM message AS m LEFT JOIN sending AS s ON s.force_id = m.force_id AND s.id = m.id
WHERE m.request_id = $1
ORDER BY m.created_at DESC, m.id DESC
LIMIT 50;

-- letters_to_post
-- Letters that a person has to post, longest waiting first.
SELECT m.id, m.kind, m.request_id, s.due_at, r.reference
FROM sending AS s
JOIN message AS m ON m.force_id = s.force_id AND m.id = s.id
JOIN walk_request AS r ON r.force_id = m.force_id AND r.id = m.request_id
WHERE s.force_id = $1 AND s.channel = 'letter' AND s.state = 'due' AND s.due_at <= $2
ORDER BY s.due_at, m.id
LIMIT 100;
