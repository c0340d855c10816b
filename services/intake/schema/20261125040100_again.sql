-- migrate:up

-- That the time of a walk no longer stands, and another is looked for.
ALTER TABLE message DROP CONSTRAINT message_kind_check;
ALTER TABLE message ADD CONSTRAINT message_kind_check CHECK (
    kind IN ('confirm', 'confirmation', 'proposed', 'arranged', 'moved', 'again', 'cancelled', 'reminder', 'survey', 'done'));

-- migrate:down
DELETE FROM message WHERE kind = 'again';
ALTER TABLE message DROP CONSTRAINT message_kind_check;
ALTER TABLE message ADD CONSTRAINT message_kind_check CHECK (
    kind IN ('confirm', 'confirmation', 'proposed', 'arranged', 'moved', 'cancelled', 'reminder', 'survey', 'done'));
