-- add_concerns
-- Concerns of walks; one that is known stays with its walk.
INSERT INTO walk_concern (force_id, concern_id, walk_id)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[])
ON CONFLICT (force_id, concern_id) DO NOTHING;

-- walks_of_concerns
-- On which walk each of these concerns was recorded.
SELECT force_id, concern_id, walk_id FROM walk_concern WHERE concern_id = ANY ($1::uuid[]);

-- note_resolved
-- What became of these concerns was told.
UPDATE walk_concern SET resolved_at = $2 WHERE concern_id = ANY ($1::uuid[]);
