-- add_wanted_contacts
-- Whom an officer is to call or visit, until it is told.
INSERT INTO wanted_contact (force_id, id, sealed) SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[]);

-- take_wanted_contacts
-- They are told now.
DELETE FROM wanted_contact WHERE id = ANY ($1::uuid[]) RETURNING force_id, id, sealed;

-- note_wanted
-- A call or visit was asked for.
UPDATE walk_request SET contact_wanted_at = $2 WHERE id = ANY ($1::uuid[]);

-- note_callers
-- Who makes the call or visit that is wanted.
UPDATE walk_request AS r SET caller_id = i.caller_id
FROM unnest($1::text[], $2::uuid[], $3::text[]) AS i (force_id, id, caller_id)
WHERE r.force_id = i.force_id AND r.id = i.id;

-- note_follow_ups
-- The call or visit that was wanted came to an end.
UPDATE walk_request AS r SET followed_up_at = $3, caller_id = NULL
FROM unnest($1::text[], $2::uuid[]) AS i (force_id, id)
WHERE r.force_id = i.force_id AND r.id = i.id;
