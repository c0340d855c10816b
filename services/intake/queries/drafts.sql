-- add_draft
-- A form is begun.
INSERT INTO draft (force_id, id, digest, sealed, expires_at) VALUES ($1, $2, $3, $4, $5);

-- draft
-- A form half filled in, by the digest of its cookie.
SELECT id, sealed FROM draft WHERE force_id = $1 AND digest = $2 AND expires_at > $3;

-- hold_draft
-- The same, held still: of two sendings at once the second sees what the first did.
SELECT id, sealed FROM draft WHERE force_id = $1 AND digest = $2 AND expires_at > $3 FOR UPDATE;

-- save_draft
-- The form as it stands now.
UPDATE draft SET sealed = $3 WHERE force_id = $1 AND id = $2;

-- remove_drafts
-- Forms whose time is over.
DELETE FROM draft WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));
