-- set_timers
-- Timers set, or set anew: the last due time given to a subject holds, and earlier failures are forgotten.
INSERT INTO timer AS t (force_id, kind, subject, due_at, try_at)
SELECT DISTINCT ON (i.force_id, i.subject) i.force_id, $1, i.subject, i.due_at, i.due_at
FROM unnest($2::text[], $3::uuid[], $4::timestamptz[]) WITH ORDINALITY AS i (force_id, subject, due_at, ordinal)
ORDER BY i.force_id, i.subject, i.ordinal DESC
ON CONFLICT (force_id, kind, subject) DO UPDATE SET due_at = excluded.due_at, try_at = excluded.try_at, tries = 0;

-- cancel_timers
-- What was to fall due no longer will.
DELETE FROM timer WHERE kind = $1 AND force_id = $2 AND subject = ANY ($3::uuid[]);

-- next_timers
-- When each kind has something to do next.
SELECT k.kind, (SELECT min(t.try_at) FROM timer AS t WHERE t.kind = k.kind) AS next_at
FROM unnest($1::text[]) AS k (kind);

-- take_timers
-- What is due of one kind, earliest first, taken away; rows another process is firing are left to it.
DELETE FROM timer WHERE (force_id, kind, subject) IN (
    SELECT force_id, kind, subject FROM timer
    WHERE kind = $1 AND try_at <= $2
    ORDER BY try_at, force_id, subject
    LIMIT $3
    FOR UPDATE SKIP LOCKED
)
RETURNING force_id, subject, due_at, tries;

-- postpone_timers
-- What failed comes back later, with the due time it had; one set anew meanwhile stays as it was set.
INSERT INTO timer (force_id, kind, subject, due_at, try_at, tries)
SELECT i.force_id, $1, i.subject, i.due_at, i.try_at, i.tries
FROM unnest($2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::integer[])
    AS i (force_id, subject, due_at, try_at, tries)
ON CONFLICT (force_id, kind, subject) DO NOTHING;
