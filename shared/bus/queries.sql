-- append
-- Events into the log and the list of what is pending, numbered under the lock of their keys, and the relay is woken.
WITH incoming AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[],
        $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::bytea[]
    ) WITH ORDINALITY AS i (
        force_id, topic, key, id, type, time, correlation_id, causation_id, traceparent, headers, data, ordinal
    )
), numbered AS (
    INSERT INTO outbox_key AS k (force_id, topic, key, sequence)
    SELECT force_id, topic, key, count(*) FROM incoming GROUP BY force_id, topic, key ORDER BY force_id, topic, key
    ON CONFLICT (force_id, topic, key) DO UPDATE SET sequence = k.sequence + excluded.sequence
    RETURNING force_id, topic, key, sequence
), logged AS (
    INSERT INTO outbox_log (
        force_id, topic, key, sequence, id, type, time, correlation_id, causation_id, traceparent, headers, data
    )
    SELECT i.force_id, i.topic, i.key,
           n.sequence + 1 - row_number() OVER (PARTITION BY i.force_id, i.topic, i.key ORDER BY i.ordinal DESC),
           i.id, i.type, i.time, i.correlation_id, i.causation_id, i.traceparent, i.headers::jsonb, i.data
    FROM incoming AS i JOIN numbered AS n USING (force_id, topic, key)
    ORDER BY i.ordinal
    RETURNING force_id, position
), pending AS (
    INSERT INTO outbox_pending (force_id, position) SELECT force_id, position FROM logged
)
SELECT pg_notify('outbox', '');

-- next_pending
-- What the relay publishes next, in the order of positions, leaving out what it is publishing now. The positions are
-- chosen first, so that a flight costs the same however much waits behind it. Records are stamped with the event's time,
-- but never with one to come: brokers refuse those of a clock an hour ahead, and would keep them as much too long.
SELECT l.position, l.topic, l.key, l.sequence, l.id, l.type, l.time, least(l.time, now()) AS stamp, l.force_id,
       l.correlation_id, l.causation_id, l.traceparent, l.headers::text, l.data
FROM (
    SELECT position FROM outbox_pending
    WHERE position NOT IN (SELECT unnest($1::bigint[]))
    ORDER BY position
    LIMIT $2
) AS p
CROSS JOIN LATERAL (SELECT * FROM outbox_log WHERE outbox_log.position = p.position OFFSET 0) AS l
ORDER BY p.position;

-- forget_pending
-- Acknowledged by the bus.
DELETE FROM outbox_pending WHERE position = ANY ($1::bigint[]);

-- bus_id
-- The cluster the log was last published to.
SELECT bus_id FROM relay_bus;

-- keep_bus_id
-- From now on the log is published to this cluster.
INSERT INTO relay_bus (one, bus_id) VALUES (true, $1) ON CONFLICT (one) DO UPDATE SET bus_id = excluded.bus_id;

-- republish
-- The retained log is pending again, whole or from a moment on, all topics or some. What was scrubbed is nothing any more.
INSERT INTO outbox_pending (force_id, position)
SELECT force_id, position FROM outbox_log
WHERE time >= $1 AND NOT scrubbed AND ($2::text[] IS NULL OR topic = ANY ($2))
ON CONFLICT (position) DO NOTHING;

-- outbox_state
-- How many events wait for the relay, and since when the oldest does.
SELECT count(*) AS waiting, min(l.time) AS oldest
FROM outbox_pending AS p JOIN outbox_log AS l ON l.position = p.position;

-- receive
-- The inbox: of these records, the ones not seen before. First statement of a batch.
INSERT INTO inbox (force_id, id, seen_at)
SELECT force_id, id, $3 FROM unnest($1::text[], $2::uuid[]) AS i (force_id, id)
ON CONFLICT (id, force_id) DO NOTHING
RETURNING id;

-- not_received
-- Of these records the inbox is to know nothing: they are held as ones that could not be read.
DELETE FROM inbox USING unnest($1::text[], $2::uuid[]) AS i (force_id, id)
WHERE inbox.id = i.id AND inbox.force_id = i.force_id;

-- held_keys
-- Keys of these that something is held for, so that later records are held behind it.
SELECT h.topic, h.key, bool_or(h.why <> 'awaiting') AS parked, (array_agg(h.awaits ORDER BY h.position))[1] AS awaits
FROM held AS h
WHERE (h.topic, h.key) IN (SELECT * FROM unnest($1::text[], $2::bytea[]))
GROUP BY h.topic, h.key;

-- hold
-- Records put aside; one already there (a redelivery) stays as it is.
INSERT INTO held (
    force_id, why, digest, id, topic, key, partition, "offset", headers, value, reason, awaits, held_at, tries, try_at
)
SELECT i.force_id, i.why, i.digest, i.id, i.topic, i.key, i.partition, i."offset", i.headers::jsonb, i.value, i.reason,
       i.awaits, i.held_at, i.tries, i.try_at
FROM unnest(
    $1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::text[], $6::bytea[], $7::integer[], $8::bigint[],
    $9::text[], $10::bytea[], $11::text[], $12::uuid[], $13::timestamptz[], $14::integer[], $15::timestamptz[]
) WITH ORDINALITY AS i (
    force_id, why, digest, id, topic, key, partition, "offset", headers, value, reason, awaits, held_at, tries, try_at,
    ordinal
)
ORDER BY i.ordinal
ON CONFLICT (force_id, digest) DO NOTHING
RETURNING digest;

-- hold_again
-- Records put back to where they stood, before what came while they were being tried.
INSERT INTO held (
    position, force_id, why, digest, id, topic, key, partition, "offset", headers, value, reason, awaits, held_at, tries,
    try_at
) OVERRIDING SYSTEM VALUE
SELECT i.position, i.force_id, i.why, i.digest, i.id, i.topic, i.key, i.partition, i."offset", i.headers::jsonb, i.value,
       i.reason, i.awaits, i.held_at, i.tries, i.try_at
FROM unnest(
    $1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::text[], $6::bytea[], $7::integer[], $8::bigint[],
    $9::text[], $10::bytea[], $11::text[], $12::uuid[], $13::timestamptz[], $14::integer[], $15::timestamptz[],
    $16::bigint[]
) AS i (
    force_id, why, digest, id, topic, key, partition, "offset", headers, value, reason, awaits, held_at, tries, try_at,
    position
)
ON CONFLICT (force_id, digest) DO NOTHING
RETURNING digest;

-- anything_awaits
-- Whether anything waits for one of these parents, so that the usual batch asks no more.
SELECT EXISTS (SELECT FROM held WHERE why = 'awaiting' AND awaits = ANY ($1::uuid[]));

-- release_alone
-- Whoever takes records out of holding does so alone, until its commit: another would find a key without those of its
-- records that are being tried, and apply the later ones before them. A statement of its own, so that the next one sees
-- what was put back meanwhile.
SELECT pg_advisory_xact_lock(7411, 2);

-- release
-- What waited for these parents, taken out of holding with all that is held behind it.
DELETE FROM held WHERE why = 'awaiting' AND awaits = ANY ($1::uuid[])
RETURNING force_id, position, why, digest, id, topic, key, partition, "offset", headers, value, reason, awaits,
          held_at, tries;

-- take_due
-- What is to be tried again, taken out of holding: whole keys, so that their order survives, as far as a parked record
-- that nobody has asked for.
WITH due AS (
    SELECT topic, key, position FROM held
    WHERE (try_at <= $1 OR why = 'behind') AND NOT EXISTS (
        SELECT FROM held AS p
        WHERE p.topic = held.topic AND p.key = held.key AND p.position < held.position
          AND p.why IN ('unreadable', 'failed') AND (p.try_at IS NULL OR p.try_at > $1)
    )
    ORDER BY position
    LIMIT 500
)
DELETE FROM held WHERE position IN (
    SELECT position FROM due
    UNION
    SELECT h.position FROM held AS h JOIN due ON h.topic = due.topic AND h.key = due.key
    WHERE NOT EXISTS (
        SELECT FROM held AS p
        WHERE p.topic = h.topic AND p.key = h.key AND p.position <= h.position
          AND p.why IN ('unreadable', 'failed') AND (p.try_at IS NULL OR p.try_at > $1)
    )
)
RETURNING force_id, position, why, digest, id, topic, key, partition, "offset", headers, value, reason, awaits,
          held_at, tries;

-- held_or_erased
-- Whether anything is held at all, and whose data was erased of these, so that the usual batch asks no more: one row
-- where nothing was, else one for each. OFFSET 0 has tombstones looked up key by key: joined otherwise, all that there
-- ever were are read for every batch.
SELECT h.held, t.force_id, t.id, t.what
FROM (SELECT EXISTS (SELECT FROM held) AS held) AS h
LEFT JOIN LATERAL (
    SELECT t.force_id, t.id, t.what
    FROM (SELECT DISTINCT force_id, id FROM unnest($1::text[], $2::uuid[]) AS i (force_id, id)) AS i
    CROSS JOIN LATERAL (SELECT * FROM tombstone WHERE force_id = i.force_id AND id = i.id OFFSET 0) AS t
) AS t ON true;

-- held_state
-- How many records are held, by why.
SELECT why, count(*) AS held FROM held GROUP BY why;

-- parked
-- What was parked, oldest first, and how many records are held behind each.
SELECT h.position, h.force_id, h.why, h.topic, h.partition, h."offset", h.id, h.reason, h.held_at, h.tries, h.try_at,
       (SELECT count(*) FROM held AS b WHERE b.topic = h.topic AND b.key = h.key AND b.why = 'behind') AS behind
FROM held AS h
WHERE h.why IN ('unreadable', 'failed')
ORDER BY h.position;

-- parked_one
-- One parked record with its original bytes and headers.
SELECT force_id, position, why, id, topic, key, partition, "offset", headers, value, reason, held_at, tries, try_at
FROM held WHERE position = $1 AND why IN ('unreadable', 'failed');

-- retry_parked
-- A person asks for these to be tried again; the bus does so within a second.
UPDATE held SET try_at = now() WHERE why IN ('unreadable', 'failed') AND position = ANY ($1::bigint[]);

-- discard_parked
-- Parked records are given up; what is held behind them goes on.
DELETE FROM held WHERE position = ANY ($1::bigint[]) AND why IN ('unreadable', 'failed') RETURNING position;

-- bury
-- Tombstones; where the words of something were erased, all of it may be later.
INSERT INTO tombstone AS t (force_id, id, what, erased_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
ON CONFLICT (force_id, id) DO UPDATE SET what = excluded.what WHERE t.what = 'words' AND excluded.what = 'all';

-- buried
-- Of these, whose data was erased, and how much of it.
SELECT force_id, id, what FROM tombstone WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- tombstones_since
-- Tombstones set since then, for the file outside the database.
SELECT force_id, id, what, erased_at FROM tombstone WHERE erased_at >= $1 ORDER BY erased_at, force_id, id;

-- scrub_log
-- What was told of these is told no more, whether it has left already or not. What made others forget is not forgotten.
WITH scrubbed AS (
    UPDATE outbox_log AS l SET data = '{}', scrubbed = true
    FROM unnest($1::text[], $2::uuid[]) AS i (force_id, id)
    WHERE l.key = i.id AND l.force_id = i.force_id AND NOT l.scrubbed AND l.type <> ALL ($3::text[])
    RETURNING l.position
)
DELETE FROM outbox_pending USING scrubbed WHERE outbox_pending.position = scrubbed.position;

-- scrub_words
-- What was told of these is told again, if it has to be, without the words that stood in it.
UPDATE outbox_log AS l SET data = convert_to((convert_from(l.data, 'UTF8')::jsonb || p.without::jsonb)::text, 'UTF8')
FROM unnest($1::text[], $2::uuid[]) AS i (force_id, id), unnest($3::text[], $4::text[]) AS p (type, without)
WHERE l.key = i.id AND l.force_id = i.force_id AND l.type = p.type AND NOT l.scrubbed;

-- scrub_told_as_parked
-- The original bytes of records of these keys that were told on the parked topic.
WITH scrubbed AS (
    UPDATE outbox_log AS l SET data = '{}', scrubbed = true
    FROM unnest($1::text[]) AS k (header)
    WHERE l.headers IS NOT NULL AND l.headers @> k.header::jsonb AND NOT l.scrubbed
    RETURNING l.position
)
DELETE FROM outbox_pending USING scrubbed WHERE outbox_pending.position = scrubbed.position;

-- drop_held
-- Records held of these keys: they would have no effect any more.
DELETE FROM held WHERE key = ANY ($1::bytea[]);

-- held_of_keys
-- Records held of these keys.
SELECT force_id, position, headers, value FROM held WHERE key = ANY ($1::bytea[]) AND value IS NOT NULL;

-- keep_held_value
-- Records held, without the words.
UPDATE held SET value = i.value
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS i (force_id, position, value)
WHERE held.force_id = i.force_id AND held.position = i.position;

-- roll_partitions
-- Partitions of inbox and outbox log ahead of need.
SELECT roll_partitions($1);

-- lead
-- One relay a database publishes: the session that holds this lock.
SELECT pg_try_advisory_lock(7411, 1);
