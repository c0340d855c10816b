-- accept
-- Of these requests, the ones whose idempotency key nobody used before, written whole: who asks, sealed; by what she will
-- be recognised when she asks again; her request; what she is told. A second sender of a key waits here until the first
-- is done.
WITH incoming AS (
    SELECT * FROM unnest(
        $1::text[], $2::bytea[], $3::bytea[], $4::uuid[], $5::uuid[], $6::text[], $7::bytea[], $8::bytea[], $9::text[],
        $10::bytea[], $11::bytea[]
    ) AS i (
        force_id, digest, body_digest, request_id, participant_id, master, wrapped_key, sealed, reference, pair,
        wanted
    )
), claimed AS (
    INSERT INTO accepted_key (force_id, digest, body_digest, request_id, accepted_at)
    SELECT force_id, digest, body_digest, request_id, $14 FROM incoming ORDER BY force_id, digest
    ON CONFLICT (force_id, digest) DO NOTHING
    RETURNING request_id
), fresh AS (
    SELECT incoming.* FROM incoming JOIN claimed USING (request_id)
), participants AS (
    INSERT INTO participant (force_id, id, sealed, created_at) SELECT force_id, participant_id, sealed, $14 FROM fresh
), keys AS (
    INSERT INTO participant_key (force_id, participant_id, master, wrapped_key)
    SELECT force_id, participant_id, master, wrapped_key FROM fresh
), digests AS (
    INSERT INTO participant_digest (force_id, digest, participant_id)
    SELECT force_id, d.digest, participant_id
    FROM unnest($12::uuid[], $13::bytea[]) AS d (participant_id, digest) JOIN fresh USING (participant_id)
), requests AS (
    INSERT INTO walk_request (force_id, id, participant_id, reference, pair, wanted, requested_at)
    SELECT force_id, request_id, participant_id, reference, pair, wanted, $14 FROM fresh
), messages AS (
    INSERT INTO message (force_id, id, request_id, kind, channel, refused, sealed, created_at)
    SELECT m.force_id, m.id, m.request_id, m.kind, m.channel, m.refused, m.sealed, $14
    FROM unnest($15::text[], $16::uuid[], $17::uuid[], $18::text[], $19::text[], $20::text[], $21::bytea[])
        AS m (force_id, id, request_id, kind, channel, refused, sealed)
    JOIN claimed USING (request_id)
), counted AS (
    INSERT INTO attempt (force_id, digest, many, until)
    SELECT c.force_id, c.digest, count(*), max(c.until)
    FROM unnest($22::text[], $23::uuid[], $24::bytea[], $25::timestamptz[]) AS c (force_id, request_id, digest, until)
    JOIN claimed USING (request_id)
    GROUP BY c.force_id, c.digest ORDER BY c.force_id, c.digest
    ON CONFLICT (force_id, digest) DO UPDATE SET many = attempt.many + excluded.many
    RETURNING digest, many
)
SELECT request_id, NULL::bytea AS digest, NULL::bigint AS many FROM claimed
UNION ALL SELECT NULL, digest, many FROM counted;

-- accepted
-- What was accepted under these idempotency keys; no reference where it was erased since.
SELECT a.force_id, a.digest, a.body_digest, a.request_id, r.reference
FROM accepted_key AS a LEFT JOIN walk_request AS r ON r.force_id = a.force_id AND r.id = a.request_id
WHERE (a.force_id, a.digest) IN (SELECT * FROM unnest($1::text[], $2::bytea[]));
