-- migrate:up

-- What falls due: firing is the state change, its events and the removal of this row in one commit.
CREATE TABLE timer (
    force_id text NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    due_at timestamptz NOT NULL,
    try_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    PRIMARY KEY (force_id, kind, subject)
);
COMMENT ON COLUMN timer.try_at IS 'due_at, or later where firing has failed.';
CREATE INDEX timer_to_fire ON timer (kind, try_at);
CALL force_rows('timer');

-- What is to leave for the outside world: the service keeps what is said (sealed if need be), this says when.
-- At least once, with id as the idempotency key.
CREATE TABLE sending (
    force_id text NOT NULL,
    id uuid NOT NULL,
    channel text NOT NULL,
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'failed', 'cancelled')),
    due_at timestamptz NOT NULL,
    claimed_until timestamptz,
    tries integer NOT NULL DEFAULT 0,
    ended_at timestamptz,
    fault text,
    PRIMARY KEY (force_id, id)
);
CREATE INDEX sending_due ON sending (channel, due_at) WHERE state = 'due';
CALL force_rows('sending');

-- migrate:down
DROP TABLE sending, timer;
