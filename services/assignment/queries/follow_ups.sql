-- save_follow_ups
-- Follow-ups as they now are; a contact that was wanted once is not followed up twice.
INSERT INTO follow_up (
    force_id, id, kind, urgency, opened_at, due_at, request_id, contact_id, walk_id, officer_id, reasons, overdue_at,
    completed_at, completed_by, outcome
)
SELECT
    force_id, id, kind, urgency, opened_at, due_at, request_id, contact_id, walk_id, officer_id,
    string_to_array(reasons, ' '), overdue_at, completed_at, completed_by, outcome
FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::uuid[], $8::uuid[],
    $9::uuid[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::text[], $15::text[]
) AS given (
    force_id, id, kind, urgency, opened_at, due_at, request_id, contact_id, walk_id, officer_id, reasons, overdue_at,
    completed_at, completed_by, outcome
)
ON CONFLICT (force_id, id) DO UPDATE SET
    officer_id = excluded.officer_id, overdue_at = excluded.overdue_at, completed_at = excluded.completed_at,
    completed_by = excluded.completed_by, outcome = excluded.outcome;

-- known_contacts
-- Which of these wanted contacts have a follow-up already.
SELECT contact_id FROM follow_up WHERE (force_id, contact_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- lock_follow_ups
-- These follow-ups, locked in one order.
SELECT * FROM follow_up WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY force_id, id FOR UPDATE;

-- follow_ups_by_id
-- These follow-ups as they stand.
SELECT * FROM follow_up WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- follow_ups_of_force
-- Follow-ups of a force, open or completed, none of a woman who excludes whoever asks; what is due first, and so overdue, first.
SELECT f.* FROM follow_up f
WHERE f.force_id = $1 AND (f.completed_at IS NULL) = $2
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = f.force_id AND r.id = f.request_id
            AND r.contact -> 'excluded_officers' ? $3 OFFSET 0
    )
ORDER BY f.due_at, f.id LIMIT $4 OFFSET $5;

-- follow_ups_of_officer
-- The same of one officer.
SELECT f.* FROM follow_up f
WHERE f.force_id = $1 AND f.officer_id = $6 AND (f.completed_at IS NULL) = $2
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = f.force_id AND r.id = f.request_id
            AND r.contact -> 'excluded_officers' ? $3 OFFSET 0
    )
ORDER BY f.due_at, f.id LIMIT $4 OFFSET $5;

-- follow_ups_of_walks
-- The follow-ups of these walks.
SELECT * FROM follow_up WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) ORDER BY due_at, id;

-- release_follow_ups
-- Open follow-ups of these walks go to a coordinator where the woman they are about now excludes their officer or team.
UPDATE follow_up f SET officer_id = NULL
FROM request r, walk w
WHERE (f.force_id, f.walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
    AND f.completed_at IS NULL AND f.officer_id IS NOT NULL
    AND r.force_id = f.force_id AND r.id = f.request_id AND w.force_id = f.force_id AND w.id = f.walk_id
    AND (r.contact -> 'excluded_officers' ? f.officer_id OR r.contact -> 'excluded_teams' ? w.team_id);

-- mark_overdue
-- Open follow-ups that have passed their day.
UPDATE follow_up SET overdue_at = $3
WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
    AND completed_at IS NULL AND overdue_at IS NULL;
