-- migrate:up

-- Lists are read in their order from an index and stop after a page, however many walks and follow-ups lie behind it.
CREATE INDEX walk_of_force ON walk (force_id, state, requested_at, id);
CREATE INDEX follow_up_by_day ON follow_up (force_id, (completed_at IS NULL), due_at, id);
CREATE INDEX follow_up_of_officer ON follow_up (force_id, officer_id, (completed_at IS NULL), due_at, id);
DROP INDEX follow_up_open;

-- migrate:down
CREATE INDEX follow_up_open ON follow_up (force_id, due_at) WHERE completed_at IS NULL;
DROP INDEX follow_up_of_officer, follow_up_by_day, walk_of_force;
