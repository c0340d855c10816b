-- migrate:up

-- When the walk that answers a request came to answer it, by the event that said so. Events of two walks come in no common
-- order: what an earlier walk of hers still tells is told of others.
ALTER TABLE walk_request ADD COLUMN walk_as_of timestamptz;

-- migrate:down
ALTER TABLE walk_request DROP COLUMN walk_as_of;
