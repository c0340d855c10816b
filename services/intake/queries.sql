-- accept
-- Of these requests, the ones whose idempotency key nobody used before, written whole: who asks, sealed; by what she will
-- be recognised when she asks again; her request; what she is told. A second sender of a key waits here until the first
-- is done.
WITH incoming AS (
    SELECT * FROM unnest(
        $1::text[], $2::bytea[], $3::bytea[], $4::uuid[], $5::uuid[], $6::text[], $7::bytea[], $8::bytea[], $9::text[],
        $10::bytea[]
    ) AS i (
        force_id, digest, body_digest, request_id, participant_id, master, wrapped_key, sealed, reference, pair
    )
), claimed AS (
    INSERT INTO accepted_key (force_id, digest, body_digest, request_id, accepted_at)
    SELECT force_id, digest, body_digest, request_id, $13 FROM incoming ORDER BY force_id, digest
    ON CONFLICT (force_id, digest) DO NOTHING
    RETURNING request_id
), fresh AS (
    SELECT incoming.* FROM incoming JOIN claimed USING (request_id)
), participants AS (
    INSERT INTO participant (force_id, id, master, wrapped_key, sealed, created_at)
    SELECT force_id, participant_id, master, wrapped_key, sealed, $13 FROM fresh
), digests AS (
    INSERT INTO participant_digest (force_id, digest, participant_id)
    SELECT force_id, d.digest, participant_id
    FROM unnest($11::uuid[], $12::bytea[]) AS d (participant_id, digest) JOIN fresh USING (participant_id)
), requests AS (
    INSERT INTO walk_request (force_id, id, participant_id, reference, pair, requested_at)
    SELECT force_id, request_id, participant_id, reference, pair, $13 FROM fresh
), messages AS (
    INSERT INTO message (force_id, id, request_id, kind, channel, refused, sealed, created_at)
    SELECT m.force_id, m.id, m.request_id, m.kind, m.channel, m.refused, m.sealed, $13
    FROM unnest($14::text[], $15::uuid[], $16::uuid[], $17::text[], $18::text[], $19::text[], $20::bytea[])
        AS m (force_id, id, request_id, kind, channel, refused, sealed)
    JOIN claimed USING (request_id)
)
SELECT request_id FROM claimed;

-- accepted
-- What was accepted under these idempotency keys.
SELECT a.force_id, a.digest, a.body_digest, a.request_id, r.reference
FROM accepted_key AS a JOIN walk_request AS r ON r.force_id = a.force_id AND r.id = a.request_id
WHERE (a.force_id, a.digest) IN (SELECT * FROM unnest($1::text[], $2::bytea[]));

-- requests
-- Requests by id, with what opens them.
SELECT r.force_id, r.id, r.reference, r.state, r.walk_id, r.officer_id, r.participant_id, r.pair,
       p.master, p.wrapped_key, p.sealed
FROM walk_request AS r JOIN participant AS p ON p.force_id = r.force_id AND p.id = r.participant_id
WHERE r.id = ANY ($1::uuid[])
ORDER BY r.force_id, r.id;

-- requests_of_walks
-- The requests that these walks answer, with what opens them.
SELECT r.force_id, r.id, r.reference, r.state, r.walk_id, r.officer_id, r.participant_id, r.pair,
       p.master, p.wrapped_key, p.sealed
FROM walk_request AS r JOIN participant AS p ON p.force_id = r.force_id AND p.id = r.participant_id
WHERE r.walk_id = ANY ($1::uuid[])
ORDER BY r.force_id, r.id;

-- lock_request
-- One request held still while she changes it.
SELECT id FROM walk_request WHERE force_id = $1 AND id = $2 FOR UPDATE;

-- move_requests
-- How far requests have come with their walk. What she withdrew stays withdrawn.
UPDATE walk_request AS r
SET state = CASE WHEN r.state = 'withdrawn' THEN r.state ELSE i.state END,
    walk_id = i.walk_id,
    team_id = coalesce(i.team_id, r.team_id),
    officer_id = i.officer_id
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[])
    AS i (force_id, id, state, walk_id, team_id, officer_id)
WHERE r.force_id = i.force_id AND r.id = i.id;

-- withdraw_request
-- She no longer wants the walk.
UPDATE walk_request SET state = 'withdrawn' WHERE force_id = $1 AND id = $2;

-- reseal_participant
-- Her rules have changed.
UPDATE participant SET sealed = $3 WHERE force_id = $1 AND id = $2;

-- note_follow_ups
-- The call or visit that was wanted came to an end.
UPDATE walk_request AS r SET followed_up_at = $3
FROM unnest($1::text[], $2::uuid[]) AS i (force_id, id)
WHERE r.force_id = i.force_id AND r.id = i.id;

-- add_concerns
-- Concerns of walks; one that is known stays with its walk.
INSERT INTO walk_concern (force_id, concern_id, walk_id)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[])
ON CONFLICT (force_id, concern_id) DO NOTHING;

-- walks_of_concerns
-- On which walk each of these concerns was recorded.
SELECT force_id, concern_id, walk_id FROM walk_concern WHERE concern_id = ANY ($1::uuid[]);

-- add_baselines
-- Her answers before the walk, to wait among others.
INSERT INTO waiting_baseline (force_id, id, sealed, answered_on)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::date[]);

-- waiting_baselines
-- Answers that wait, of these forces; those another transaction is releasing are left to it.
SELECT force_id, id, sealed FROM waiting_baseline WHERE force_id = ANY ($1::text[]) FOR UPDATE SKIP LOCKED;

-- waiting_baselines_named
-- Of these answers, the ones that still wait.
SELECT force_id, id, sealed FROM waiting_baseline WHERE id = ANY ($1::uuid[]) FOR UPDATE SKIP LOCKED;

-- remove_baselines
-- They have left.
DELETE FROM waiting_baseline WHERE id = ANY ($1::uuid[]);

-- add_wanted_contacts
-- Whom an officer is to call or visit, until it is told.
INSERT INTO wanted_contact (force_id, id, sealed) SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[]);

-- take_wanted_contacts
-- They are told now.
DELETE FROM wanted_contact WHERE id = ANY ($1::uuid[]) RETURNING force_id, id, sealed;

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

-- add_draft
-- A form is begun.
INSERT INTO draft (force_id, id, digest, sealed, expires_at) VALUES ($1, $2, $3, $4, $5);

-- draft
-- A form half filled in, by the digest of its cookie.
SELECT id, sealed FROM draft WHERE force_id = $1 AND digest = $2 AND expires_at > $3;

-- hold_draft
-- The same, held still: of two sendings at once the second sees what the first did.
SELECT id, sealed FROM draft WHERE force_id = $1 AND digest = $2 AND expires_at > $3 FOR UPDATE;

-- save_draft
-- The form as it stands now.
UPDATE draft SET sealed = $3 WHERE force_id = $1 AND id = $2;

-- remove_drafts
-- Forms whose time is over.
DELETE FROM draft WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));
