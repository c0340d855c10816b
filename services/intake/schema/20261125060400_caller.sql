-- migrate:up

-- Who makes the call or visit she is owed, where it was handed over to another than the officer of her walk: they open
-- her contact card too, until it is over.
ALTER TABLE walk_request ADD COLUMN caller_id text;

-- migrate:down
ALTER TABLE walk_request DROP COLUMN caller_id;
