-- migrate:up

ALTER TABLE message DROP CONSTRAINT message_kind_check;
ALTER TABLE message ADD CONSTRAINT message_kind_check CHECK (
    kind IN ('confirm', 'confirmation', 'proposed', 'arranged', 'moved', 'cancelled', 'reminder', 'survey', 'done'));

-- Requests nobody has confirmed yet, where a force asks for it: nothing of them is on the bus. `sealed` holds, under her
-- key, the answers that are told with the request; `code` is a keyed digest of her reference and her six figures.
CREATE TABLE unconfirmed (
    force_id text NOT NULL,
    request_id uuid NOT NULL,
    code bytea NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    sealed bytea NOT NULL,
    PRIMARY KEY (force_id, request_id),
    FOREIGN KEY (force_id, request_id) REFERENCES walk_request ON DELETE CASCADE
);
CALL force_rows('unconfirmed');

-- migrate:down
DROP TABLE unconfirmed;
DELETE FROM message WHERE kind = 'confirm';
ALTER TABLE message DROP CONSTRAINT message_kind_check;
ALTER TABLE message ADD CONSTRAINT message_kind_check CHECK (
    kind IN ('confirmation', 'proposed', 'arranged', 'moved', 'cancelled', 'reminder', 'survey', 'done'));
