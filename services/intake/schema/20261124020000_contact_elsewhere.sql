-- migrate:up

-- Since when contact is no longer safe, and when a coordinator has spoken to her since another with her address or number
-- stopped it. In plain, so that the door can ask of others by their digests alone, and opens nobody for it.
ALTER TABLE participant ADD COLUMN stopped_at timestamptz, ADD COLUMN spoken_at timestamptz;
-- Without it whoever is erased, or looked for by her digests, costs a look at all of them.
CREATE INDEX participant_digest_of_participant ON participant_digest (force_id, participant_id);

-- migrate:down
DROP INDEX participant_digest_of_participant;
ALTER TABLE participant DROP COLUMN spoken_at, DROP COLUMN stopped_at;
