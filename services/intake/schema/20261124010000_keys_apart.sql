-- migrate:up

-- Her key, wrapped by the master key named `master`. A table of its own, so that what opens her is not in the copy of what
-- is opened: a copy that outlives her erasure has only what is sealed.
CREATE TABLE participant_key (
    force_id text NOT NULL,
    participant_id uuid NOT NULL,
    master text NOT NULL,
    wrapped_key bytea NOT NULL,
    PRIMARY KEY (force_id, participant_id),
    FOREIGN KEY (force_id, participant_id) REFERENCES participant ON DELETE CASCADE
);
ALTER TABLE participant NO FORCE ROW LEVEL SECURITY;
INSERT INTO participant_key SELECT force_id, id, master, wrapped_key FROM participant;
ALTER TABLE participant FORCE ROW LEVEL SECURITY;
ALTER TABLE participant DROP COLUMN master, DROP COLUMN wrapped_key;
CALL force_rows('participant_key');

-- How `walkandtalk backup` treats a table (shared/backup.py). Whoever has the master key could try every telephone
-- number on digests; and a form half filled in opens under the master key alone.
COMMENT ON TABLE participant_key IS 'backup: apart';
COMMENT ON TABLE participant_digest IS 'backup: apart';
COMMENT ON TABLE draft IS 'backup: none';

-- migrate:down
COMMENT ON TABLE draft IS NULL;
COMMENT ON TABLE participant_digest IS NULL;
ALTER TABLE participant NO FORCE ROW LEVEL SECURITY;
ALTER TABLE participant_key NO FORCE ROW LEVEL SECURITY;
ALTER TABLE participant ADD COLUMN master text, ADD COLUMN wrapped_key bytea;
UPDATE participant AS p SET master = k.master, wrapped_key = k.wrapped_key
FROM participant_key AS k WHERE k.force_id = p.force_id AND k.participant_id = p.id;
-- Whose key is gone is gone; the earlier version has no place for her.
UPDATE participant SET master = '', wrapped_key = '' WHERE master IS NULL;
ALTER TABLE participant ALTER COLUMN master SET NOT NULL, ALTER COLUMN wrapped_key SET NOT NULL;
ALTER TABLE participant FORCE ROW LEVEL SECURITY;
DROP TABLE participant_key;
