-- migrate:up

-- What was wanted again: a contact joins the follow-up of its request, or opens it once more.
ALTER TABLE follow_up ADD COLUMN reopened integer NOT NULL DEFAULT 0;
CREATE TABLE follow_up_contact (
    force_id text NOT NULL,
    contact_id uuid NOT NULL,
    follow_up_id uuid NOT NULL,
    urgency text NOT NULL,
    wanted_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, contact_id),
    FOREIGN KEY (force_id, follow_up_id) REFERENCES follow_up (force_id, id) ON DELETE CASCADE
);
CREATE INDEX follow_up_contact_of ON follow_up_contact (force_id, follow_up_id);
ALTER TABLE follow_up NO FORCE ROW LEVEL SECURITY;
INSERT INTO follow_up_contact (force_id, contact_id, follow_up_id, urgency, wanted_at)
SELECT
    force_id, contact_id, first_value(id) OVER (PARTITION BY force_id, request_id ORDER BY completed_at NULLS FIRST, id),
    urgency, opened_at
FROM follow_up WHERE contact_id IS NOT NULL;
-- Of several that are open for one woman the first stays.
DELETE FROM follow_up AS f USING follow_up AS kept
WHERE f.kind = 'contact' AND f.completed_at IS NULL AND kept.force_id = f.force_id AND kept.request_id = f.request_id
    AND kept.kind = 'contact' AND kept.completed_at IS NULL AND kept.id < f.id;
ALTER TABLE follow_up FORCE ROW LEVEL SECURITY;
CALL force_rows('follow_up_contact');
CREATE UNIQUE INDEX follow_up_open_of_request ON follow_up (force_id, request_id)
    WHERE kind = 'contact' AND completed_at IS NULL;
CREATE INDEX follow_up_of_request ON follow_up (force_id, request_id, opened_at);

-- Who tried to reach her when, how, and how it ended. No words.
CREATE TABLE follow_up_attempt (
    force_id text NOT NULL,
    id uuid NOT NULL,
    follow_up_id uuid NOT NULL,
    at timestamptz NOT NULL,
    by_id text NOT NULL,
    way text NOT NULL CHECK (way IN ('phone', 'visit', 'text', 'email', 'letter')),
    outcome text NOT NULL,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, follow_up_id) REFERENCES follow_up (force_id, id) ON DELETE CASCADE
);
CREATE INDEX follow_up_attempt_of ON follow_up_attempt (force_id, follow_up_id, at);
CALL force_rows('follow_up_attempt');

-- migrate:down
DROP TABLE follow_up_attempt, follow_up_contact;
DROP INDEX follow_up_open_of_request, follow_up_of_request;
ALTER TABLE follow_up DROP COLUMN reopened;
