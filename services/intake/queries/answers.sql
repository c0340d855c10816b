-- add_baselines
-- Her answers before the walk, to wait among others.
INSERT INTO waiting_baseline (force_id, id, sealed, answered_on)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::date[]);

-- waiting_baselines
-- Answers that wait, of these forces; those another transaction is releasing are left to it.
SELECT force_id, id, sealed, answered_on FROM waiting_baseline WHERE force_id = ANY ($1::text[]) FOR UPDATE SKIP LOCKED;

-- waiting_baselines_named
-- Of these answers, the ones that still wait.
SELECT force_id, id, sealed, answered_on FROM waiting_baseline WHERE id = ANY ($1::uuid[]) FOR UPDATE SKIP LOCKED;

-- remove_baselines
-- They have left.
DELETE FROM waiting_baseline WHERE id = ANY ($1::uuid[]);
