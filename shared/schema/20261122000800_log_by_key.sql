-- migrate:up

-- Whoever is erased is looked for in the log by her key. A tree of all keys would cost every event; this is a filter for
-- each hundred and twenty-eight pages, made once they are full, that says whether a key may stand in them.
CREATE INDEX outbox_log_by_key ON outbox_log USING brin (key uuid_bloom_ops) WITH (autosummarize = on);
-- What was told as parked alone brings its headers: few rows among millions.
CREATE INDEX outbox_log_told_as_parked ON outbox_log (position) WHERE headers IS NOT NULL;

-- migrate:down
DROP INDEX outbox_log_told_as_parked, outbox_log_by_key;
