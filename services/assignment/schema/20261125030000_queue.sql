-- migrate:up

-- How a walk was passed on, and why: given back, handed over, escalated. An escalation stands until it is settled.
CREATE TABLE passed_on (
    force_id text NOT NULL,
    id uuid NOT NULL,
    walk_id uuid NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL CHECK (what IN ('given-back', 'to-officer', 'to-team', 'to-coordinator', 'not-taken')),
    why text,
    by_id text,
    from_officer_id text,
    to_officer_id text,
    from_team_id text,
    to_team_id text,
    settled_at timestamptz,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, walk_id) REFERENCES walk (force_id, id),
    -- Nobody passes a walk on without a reason; that nobody took it is one.
    CHECK ((what = 'not-taken') = (by_id IS NULL) AND (what = 'not-taken') = (why IS NULL))
);
COMMENT ON COLUMN passed_on.why IS 'One of a list: no words of anybody.';
CREATE INDEX passed_on_of_walk ON passed_on (force_id, walk_id, at);
-- A walk is escalated once until somebody sees to it.
CREATE UNIQUE INDEX passed_on_escalated ON passed_on (force_id, walk_id)
    WHERE what IN ('to-coordinator', 'not-taken') AND settled_at IS NULL;
CREATE INDEX passed_on_waiting ON passed_on (force_id, at, id)
    WHERE what IN ('to-coordinator', 'not-taken') AND settled_at IS NULL;
CALL force_rows('passed_on');

-- Attempts to reach her, as officers log them: who, when, by which way of hers, and how it ended. No words.
CREATE TABLE contact_attempt (
    force_id text NOT NULL,
    id uuid NOT NULL,
    request_id uuid NOT NULL,
    walk_id uuid NOT NULL,
    at timestamptz NOT NULL,
    by_id text NOT NULL,
    way text NOT NULL CHECK (way IN ('email', 'text', 'phone', 'letter')),
    outcome text NOT NULL,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, request_id) REFERENCES request (force_id, id)
);
CREATE INDEX contact_attempt_of_walk ON contact_attempt (force_id, walk_id, at);
CREATE INDEX contact_attempt_of_request ON contact_attempt (force_id, request_id);
CALL force_rows('contact_attempt');

-- migrate:down
DROP TABLE contact_attempt, passed_on;
