-- lock_participant
-- Who asked, held still, with every request of hers; no key where a copy from before an erasure was put back.
SELECT p.force_id, p.id AS participant_id, k.master, k.wrapped_key, r.id, r.walk_id, r.pair
FROM participant AS p JOIN walk_request AS r ON r.force_id = p.force_id AND r.participant_id = p.id
    LEFT JOIN participant_key AS k ON k.force_id = p.force_id AND k.participant_id = p.id
WHERE (p.force_id, p.id) IN (
    SELECT force_id, participant_id FROM walk_request
    WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
)
ORDER BY p.force_id, p.id, r.id FOR UPDATE OF p, r;

-- erase_messages
-- What was or would have been said to her.
DELETE FROM message WHERE (force_id, request_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) RETURNING force_id, id;

-- empty_accepted_keys
-- That a key was used stays, so that what was sent under it does not come back; of what was sent nothing does.
UPDATE accepted_key SET body_digest = '' WHERE (force_id, request_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- erase_requests
-- Her requests.
DELETE FROM walk_request WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- erase_participants
-- Her key, all that was sealed under it, and by what she was recognised.
DELETE FROM participant WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- all_wanted_contacts
-- Whom an officer is to call or visit, sealed: only opened can it be told who it is.
SELECT force_id, id, sealed FROM wanted_contact WHERE force_id = ANY ($1::text[]) FOR UPDATE SKIP LOCKED;

-- requests_on_walks
-- Of these walks, the ones that still have a request.
SELECT DISTINCT walk_id FROM walk_request WHERE walk_id = ANY ($1::uuid[]);

-- withdraw_answers
-- Pair ids of answers to be withdrawn, sealed.
INSERT INTO withdrawn_answers (force_id, id, sealed) SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[]);

-- take_withdrawn_answers
-- They are told now.
DELETE FROM withdrawn_answers WHERE id = ANY ($1::uuid[]) RETURNING force_id, id, sealed;
