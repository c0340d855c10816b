-- save_disclosures
-- Disclosures as they now are. Neither walk, time nor who opened one ever changes by this.
INSERT INTO disclosure (
    force_id, id, walk_id, opened_at, opened_by, due_at, kind, reference, safeguarding, safeguarded_at, safeguarded_by,
    signposted, recorded_at, recorded_by, withdrawn_at, withdrawn_by, withdrawn_because, unsettled
)
SELECT
    force_id, id, walk_id, opened_at, opened_by, due_at, kind, reference, string_to_array(safeguarding, ' '),
    safeguarded_at, safeguarded_by, string_to_array(signposted, ' '), recorded_at, recorded_by, withdrawn_at,
    withdrawn_by, withdrawn_because, unsettled
FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::timestamptz[], $7::text[], $8::text[],
    $9::text[], $10::timestamptz[], $11::text[], $12::text[], $13::timestamptz[], $14::text[], $15::timestamptz[],
    $16::text[], $17::text[], $18::boolean[]
) AS given (
    force_id, id, walk_id, opened_at, opened_by, due_at, kind, reference, safeguarding, safeguarded_at, safeguarded_by,
    signposted, recorded_at, recorded_by, withdrawn_at, withdrawn_by, withdrawn_because, unsettled
)
ON CONFLICT (force_id, id) DO UPDATE SET
    kind = excluded.kind, reference = excluded.reference, safeguarding = excluded.safeguarding,
    safeguarded_at = excluded.safeguarded_at, safeguarded_by = excluded.safeguarded_by,
    signposted = excluded.signposted, recorded_at = excluded.recorded_at, recorded_by = excluded.recorded_by,
    withdrawn_at = excluded.withdrawn_at, withdrawn_by = excluded.withdrawn_by,
    withdrawn_because = excluded.withdrawn_because, unsettled = excluded.unsettled;

-- disclosures_of_walks
-- What came up on these walks, in the order it was opened.
SELECT * FROM disclosure WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY opened_at, id;

-- stands_of_walks
-- Whether something came up on these walks and how far it is, for the gate: nothing of what was recorded.
SELECT walk_id, unsettled, withdrawn_at FROM disclosure
WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- disclosures_by_id
-- These as they stand.
SELECT * FROM disclosure WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- lock_disclosures
-- These, locked in one order.
SELECT * FROM disclosure WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY force_id, id FOR UPDATE;

-- disclosures_of_force
-- Those still to be recorded, or the others, what is due first first; none of a woman who excludes whoever asks.
SELECT d.* FROM disclosure AS d
WHERE d.force_id = $1 AND d.unsettled = $2
    AND NOT EXISTS (
        SELECT FROM request AS r WHERE r.force_id = d.force_id AND r.walk_id = d.walk_id
            AND r.contact -> 'excluded_officers' ? $3 OFFSET 0
    )
ORDER BY d.due_at, d.id LIMIT $4 OFFSET $5;

-- disclosures_of_officer
-- The same as far as they are this officer's: by opening them, or by being on the walk. $7 is the officer's own team.
SELECT d.* FROM disclosure AS d
WHERE d.force_id = $1 AND d.unsettled = $2
    AND (
        d.opened_by = $6 OR EXISTS (
            SELECT FROM walk AS w WHERE w.force_id = d.force_id AND w.id = d.walk_id
                AND $6 IN (w.officer_id, w.second_officer_id) OFFSET 0
        )
    )
    AND NOT EXISTS (
        SELECT FROM request AS r WHERE r.force_id = d.force_id AND r.walk_id = d.walk_id
            AND (r.contact -> 'excluded_officers' ? $3 OR r.contact -> 'excluded_teams' ? $7) OFFSET 0
    )
ORDER BY d.due_at, d.id LIMIT $4 OFFSET $5;

-- is_disclosure_overdue
-- Whether a coordinator has to see to one: none of a woman who excludes whoever asks.
SELECT EXISTS (
    SELECT FROM disclosure AS d
    WHERE d.force_id = $1 AND d.unsettled AND d.due_at < $2
        AND NOT EXISTS (
            SELECT FROM request AS r WHERE r.force_id = d.force_id AND r.walk_id = d.walk_id
                AND r.contact -> 'excluded_officers' ? $3 OFFSET 0
        )
);

-- mark_disclosures_overdue
-- Those whose time has passed and that are still to be recorded.
UPDATE disclosure SET overdue_at = $3
WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND unsettled AND overdue_at IS NULL;

-- disclosures_overdue
-- How many are past their time; for the one gauge there is of them.
SELECT force_id, count(*) AS many FROM disclosure WHERE unsettled AND due_at < $1 GROUP BY force_id;

-- unlink_disclosures
-- Walks of which no woman is left: nothing leads from what the police keep to a request.
UPDATE disclosure SET walk_id = NULL WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- settled_disclosures
-- Since when these have been over, as the bus side may know it; those still to be recorded are left out.
SELECT force_id, id, coalesce(withdrawn_at, recorded_at) AS since FROM disclosure
WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND NOT unsettled;

-- drop_disclosures
-- Those that were kept as long as the policy says.
DELETE FROM disclosure WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND NOT unsettled;
