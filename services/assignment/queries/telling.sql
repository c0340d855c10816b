-- save_choice
-- How somebody wants to be told.
INSERT INTO notice_choice (force_id, person_id, email, rhythm, quiet_from, quiet_to, new_work, is_coordinator)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (force_id, person_id) DO UPDATE SET
    email = excluded.email, rhythm = excluded.rhythm, quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to,
    new_work = excluded.new_work, is_coordinator = excluded.is_coordinator;

-- choices_of_forces
-- How the people of these forces want to be told; who wants nothing is left out.
SELECT * FROM notice_choice WHERE force_id = ANY ($1::text[]) AND rhythm <> 'never' ORDER BY force_id, person_id;

-- choice_of_person
-- How one person wants to be told.
SELECT * FROM notice_choice WHERE force_id = $1 AND person_id = $2;

-- save_notices
-- What people are to be told.
INSERT INTO notice (force_id, id, person_id, walk_id, news, due_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[]);

-- take_notices
-- What the person of this notice is to be told by now: one message tells all of it, and of several sent at once only one.
UPDATE notice AS taken SET taken_by = $2
FROM (
    SELECT n.force_id, n.id FROM notice n
    WHERE n.force_id = $1 AND n.due_at <= $3 AND (n.taken_by IS NULL OR n.taken_by = $2)
        AND n.person_id = (SELECT o.person_id FROM notice o WHERE o.force_id = $1 AND o.id = $2)
    ORDER BY n.due_at, n.id LIMIT 50
    FOR UPDATE SKIP LOCKED
) AS due
WHERE taken.force_id = due.force_id AND taken.id = due.id
RETURNING taken.*;

-- forget_notices
-- What was told.
DELETE FROM notice WHERE force_id = $1 AND id = ANY ($2::uuid[]);
