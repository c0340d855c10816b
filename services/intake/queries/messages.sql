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
-- One message, with the request it is about and what opens it.
SELECT m.kind, m.channel, m.sealed AS facts, r.force_id, r.id, r.reference, r.state, r.walk_id, r.officer_id,
       r.participant_id, r.pair, p.master, p.wrapped_key, p.sealed
FROM message AS m
JOIN walk_request AS r ON r.force_id = m.force_id AND r.id = m.request_id
JOIN participant AS p ON p.force_id = r.force_id AND p.id = r.participant_id
WHERE m.force_id = $1 AND m.id = $2;

-- refuse_message
-- It may leave no longer: the reason stays, what it would have said goes.
UPDATE message SET refused = $3, sealed = NULL WHERE force_id = $1 AND id = $2;
