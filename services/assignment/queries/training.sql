-- save_session
-- A training session as it is now.
INSERT INTO training_session (force_id, id, held_on, way, name, covers) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (force_id, id) DO UPDATE
SET held_on = excluded.held_on, way = excluded.way, name = excluded.name, covers = excluded.covers;

-- sessions
-- A page of a force's training sessions, the last first, and how many were there.
SELECT s.*, (
    SELECT count(*) FROM training_attendance a WHERE a.force_id = s.force_id AND a.session_id = s.id
) AS attended
FROM training_session s WHERE s.force_id = $1 ORDER BY s.held_on DESC, s.id DESC LIMIT $2 OFFSET $3;

-- session_by_id
-- One training session.
SELECT * FROM training_session WHERE force_id = $1 AND id = $2;

-- attendance
-- Who was at a training session.
SELECT officer_id FROM training_attendance WHERE force_id = $1 AND session_id = $2 ORDER BY officer_id;

-- add_attendance
-- These officers were at a training session; whoever stands there already stands there once.
INSERT INTO training_attendance (force_id, session_id, officer_id)
SELECT $1, $2, officer_id FROM unnest($3::text[]) AS given (officer_id) ON CONFLICT DO NOTHING;

-- remove_attendance
-- These officers were not at a training session after all.
DELETE FROM training_attendance WHERE force_id = $1 AND session_id = $2 AND officer_id = ANY ($3::text[]);

-- sessions_of_officers
-- The training sessions each of these officers attended, the last first.
SELECT a.officer_id, s.* FROM training_attendance a
JOIN training_session s ON s.force_id = a.force_id AND s.id = a.session_id
WHERE a.force_id = $1 AND a.officer_id = ANY ($2::text[]) ORDER BY s.held_on DESC, s.id DESC;
