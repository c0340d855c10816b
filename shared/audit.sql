-- record
-- Who did what to whose data and why, and that it has still to be sealed.
WITH recorded AS (
    INSERT INTO audit (force_id, at, actor, action, subject, reason, recipient)
    SELECT i.force_id, $1, i.actor, i.action, i.subject, i.reason, i.recipient
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        AS i (force_id, actor, action, subject, reason, recipient)
    RETURNING force_id, id
)
INSERT INTO audit_unsealed (force_id, id) SELECT force_id, id FROM recorded;

-- become_sealer
-- One sealer at a time, until the transaction ends.
SELECT pg_try_advisory_xact_lock(7411, 2);

-- wait_for_sealer
-- A check must not see half a sealing.
SELECT pg_advisory_xact_lock(7411, 2);

-- take_unsealed
-- What has still to be sealed, in the order it was recorded; one whose row is gone stays as evidence.
WITH taken AS (
    DELETE FROM audit_unsealed WHERE (force_id, id) IN (
        SELECT u.force_id, u.id FROM audit_unsealed AS u JOIN audit AS a USING (force_id, id) ORDER BY u.id LIMIT $1
    )
    RETURNING force_id, id
)
SELECT a.force_id, a.id, a.at, a.actor, a.action, a.subject, a.reason, a.recipient
FROM taken JOIN audit AS a USING (force_id, id)
ORDER BY a.id;

-- head
-- The last link of the chain.
SELECT link, hash FROM audit_seal ORDER BY link DESC LIMIT 1;

-- add_link
-- A link: the ids sealed with it, and the hash over them and the link before.
INSERT INTO audit_seal (link, ids, hash, sealed_at) VALUES ($1, $2::bigint[], $3, $4);

-- links
-- Links after one, in order.
SELECT link, ids, hash FROM audit_seal WHERE link > $1 ORDER BY link LIMIT $2;

-- rows_of
-- The rows sealed with some links.
SELECT force_id, id, at, actor, action, subject, reason, recipient FROM audit
WHERE id = ANY ($1::bigint[]);

-- rows_without_seal
-- Rows that no link covers and that do not wait for one: put in behind the sealer's back.
SELECT a.id FROM audit AS a
WHERE NOT EXISTS (SELECT FROM audit_unsealed AS u WHERE u.force_id = a.force_id AND u.id = a.id)
  AND NOT EXISTS (SELECT FROM (SELECT unnest(ids) AS id FROM audit_seal) AS s WHERE s.id = a.id)
ORDER BY a.id LIMIT 100;

-- waiting_without_row
-- Rows that wait for their seal and are gone.
SELECT u.id FROM audit_unsealed AS u
WHERE NOT EXISTS (SELECT FROM audit AS a WHERE a.force_id = u.force_id AND a.id = u.id)
ORDER BY u.id LIMIT 100;
