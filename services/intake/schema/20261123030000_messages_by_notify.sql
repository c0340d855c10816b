-- migrate:up

ALTER TABLE message DROP CONSTRAINT message_kind_check;
ALTER TABLE message ADD CONSTRAINT message_kind_check CHECK (
    kind IN ('confirmation', 'proposed', 'arranged', 'moved', 'cancelled', 'reminder', 'survey', 'done'));

-- What GOV.UK Notify did with a message. `asked_at` stands while it was asked and has not answered: then the message is
-- perhaps sent, and is looked up by its reference (id and attempt) before it is sent again.
ALTER TABLE message
    ADD COLUMN attempt integer NOT NULL DEFAULT 1,
    ADD COLUMN asked_at timestamptz,
    ADD COLUMN account text CHECK (account IN ('named', 'neutral')),
    ADD COLUMN notify_id uuid,
    ADD COLUMN receipt text CHECK (
        receipt IN ('delivered', 'permanent-failure', 'temporary-failure', 'technical-failure')),
    ADD COLUMN receipt_at timestamptz;
COMMENT ON COLUMN message.refused IS 'Why her rules let no message go, or no longer; then nothing is sealed.';

-- migrate:down
DELETE FROM message WHERE kind IN ('proposed', 'moved', 'reminder');
ALTER TABLE message
    DROP COLUMN attempt, DROP COLUMN asked_at, DROP COLUMN account, DROP COLUMN notify_id,
    DROP COLUMN receipt, DROP COLUMN receipt_at;
ALTER TABLE message DROP CONSTRAINT message_kind_check;
ALTER TABLE message ADD CONSTRAINT message_kind_check CHECK (
    kind IN ('confirmation', 'arranged', 'cancelled', 'survey', 'done'));
COMMENT ON COLUMN message.refused IS 'Why her rules let no message go; then there is no sending and nothing sealed.';
