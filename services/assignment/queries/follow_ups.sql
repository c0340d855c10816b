-- save_follow_ups
-- Follow-ups as they now are, new ones, changed ones and those that are open again alike.
INSERT INTO follow_up (
    force_id, id, kind, urgency, opened_at, due_at, request_id, contact_id, walk_id, officer_id, reasons, overdue_at,
    completed_at, completed_by, outcome, reopened
)
SELECT
    force_id, id, kind, urgency, opened_at, due_at, request_id, contact_id, walk_id, officer_id,
    string_to_array(reasons, ' '), overdue_at, completed_at, completed_by, outcome, reopened
FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::uuid[], $8::uuid[],
    $9::uuid[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::text[], $15::text[],
    $16::integer[]
) AS given (
    force_id, id, kind, urgency, opened_at, due_at, request_id, contact_id, walk_id, officer_id, reasons, overdue_at,
    completed_at, completed_by, outcome, reopened
)
ON CONFLICT (force_id, id) DO UPDATE SET
    urgency = excluded.urgency, opened_at = excluded.opened_at, due_at = excluded.due_at,
    contact_id = excluded.contact_id, reopened = excluded.reopened, officer_id = excluded.officer_id, overdue_at = excluded.overdue_at, completed_at = excluded.completed_at,
    completed_by = excluded.completed_by, outcome = excluded.outcome;

-- keep_contacts
-- Contacts that were wanted, and the follow-up each belongs to: one that is told again changes nothing.
INSERT INTO follow_up_contact (force_id, contact_id, follow_up_id, urgency, wanted_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])
ON CONFLICT (force_id, contact_id) DO NOTHING;

-- known_contacts
-- Which of these wanted contacts have a follow-up already.
SELECT contact_id FROM follow_up_contact WHERE (force_id, contact_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- follow_ups_of_requests
-- The follow-up about each of these requests: the one that is open, or the last.
SELECT DISTINCT ON (force_id, request_id) id FROM follow_up
WHERE (force_id, request_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND kind = 'contact'
ORDER BY force_id, request_id, (completed_at IS NULL) DESC, opened_at DESC, id DESC;

-- keep_calls
-- Attempts to reach her, as they were logged.
INSERT INTO follow_up_attempt (force_id, id, follow_up_id, at, by_id, way, outcome)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[]);

-- calls_of_follow_ups
-- What was tried, the latest first.
SELECT * FROM follow_up_attempt WHERE (force_id, follow_up_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY at DESC, id;

-- erase_calls
-- What was tried to reach women who were erased.
DELETE FROM follow_up_attempt AS a USING follow_up AS f
WHERE f.force_id = a.force_id AND f.id = a.follow_up_id
    AND (f.force_id, f.request_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- lock_follow_ups
-- These follow-ups, locked in one order.
SELECT * FROM follow_up WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY force_id, id FOR UPDATE;

-- follow_ups_by_id
-- These follow-ups as they stand.
SELECT * FROM follow_up WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- follow_ups_of_force
-- Follow-ups of a force, open or completed, due before a moment and perhaps of one kind, none of a woman who excludes
-- whoever asks; what is due first, and so overdue, first.
SELECT f.* FROM follow_up f
WHERE f.force_id = $1 AND (f.completed_at IS NULL) = $2 AND f.due_at < $6 AND ($7::text IS NULL OR f.kind = $7)
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = f.force_id AND r.id = f.request_id
            AND r.contact -> 'excluded_officers' ? $3 OFFSET 0
    )
ORDER BY f.due_at, f.id LIMIT $4 OFFSET $5;

-- follow_ups_of_officer
-- The same of one officer.
SELECT f.* FROM follow_up f
WHERE f.force_id = $1 AND f.officer_id = $8 AND (f.completed_at IS NULL) = $2 AND f.due_at < $6
    AND ($7::text IS NULL OR f.kind = $7)
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
