-- add_equality
-- Her answers to the equality questions, to wait among others.
INSERT INTO waiting_equality (force_id, id, sealed, answered_on)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::date[]);

-- waiting_equality
-- Equality answers that wait, of these forces; those another transaction is releasing are left to it.
SELECT force_id, id, sealed FROM waiting_equality WHERE force_id = ANY ($1::text[]) FOR UPDATE SKIP LOCKED;

-- waiting_equality_named
-- Of these equality answers, the ones that still wait.
SELECT force_id, id, sealed FROM waiting_equality WHERE id = ANY ($1::uuid[]) FOR UPDATE SKIP LOCKED;

-- remove_equality
-- They have left.
DELETE FROM waiting_equality WHERE id = ANY ($1::uuid[]);
