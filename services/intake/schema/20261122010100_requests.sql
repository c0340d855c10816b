-- migrate:up

-- Who she is. `sealed` holds name, contact details and contact rules under her own data key; the key is wrapped by
-- the master key named `master`, which no database holds.
CREATE TABLE participant (
    force_id text NOT NULL,
    id uuid NOT NULL,
    master text NOT NULL,
    wrapped_key bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('participant');

-- By what the same woman is recognised when she asks again: keyed digests of her address and number.
CREATE TABLE participant_digest (
    force_id text NOT NULL,
    digest bytea NOT NULL,
    participant_id uuid NOT NULL,
    PRIMARY KEY (force_id, digest, participant_id),
    FOREIGN KEY (force_id, participant_id) REFERENCES participant ON DELETE CASCADE
);
CALL force_rows('participant_digest');

-- Her request, and what became of it as far as the walk's events tell. `pair` is the random id her answers carry,
-- sealed under her key.
CREATE TABLE walk_request (
    force_id text NOT NULL,
    id uuid NOT NULL,
    participant_id uuid NOT NULL,
    reference text NOT NULL,
    state text NOT NULL DEFAULT 'received' CHECK (
        state IN ('received', 'routed', 'taken', 'arranged', 'completed', 'cancelled', 'withdrawn')),
    pair bytea NOT NULL,
    walk_id uuid,
    team_id text,
    officer_id text,
    requested_at timestamptz NOT NULL,
    followed_up_at timestamptz,
    PRIMARY KEY (force_id, id),
    UNIQUE (force_id, reference),
    FOREIGN KEY (force_id, participant_id) REFERENCES participant
);
CREATE INDEX walk_request_by_walk ON walk_request (force_id, walk_id) WHERE walk_id IS NOT NULL;
CREATE INDEX walk_request_by_participant ON walk_request (force_id, participant_id);
CALL force_rows('walk_request');

-- One request an idempotency key. Both are keyed digests: a key may hold anything its sender chose.
CREATE TABLE accepted_key (
    force_id text NOT NULL,
    digest bytea NOT NULL,
    body_digest bytea NOT NULL,
    request_id uuid NOT NULL,
    accepted_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, digest)
);
CALL force_rows('accepted_key');

-- Concerns recorded on a walk, so that the women of the walk can be told what became of them.
CREATE TABLE walk_concern (
    force_id text NOT NULL,
    concern_id uuid NOT NULL,
    walk_id uuid NOT NULL,
    PRIMARY KEY (force_id, concern_id)
);
CALL force_rows('walk_concern');

-- Her answers before the walk, until eight or more leave together. Nothing here is the same as in her request: the id
-- is random, the content sealed and padded, the time a day.
CREATE TABLE waiting_baseline (
    force_id text NOT NULL,
    id uuid NOT NULL,
    sealed bytea NOT NULL,
    answered_on date NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('waiting_baseline');

-- What has been or is to be said to her. `sealed` holds the facts under her key; the words are made when it leaves,
-- by the rules of that moment. When it leaves, and whether it did, stands in `sending` under the same id.
CREATE TABLE message (
    force_id text NOT NULL,
    id uuid NOT NULL,
    request_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('confirmation', 'arranged', 'cancelled', 'survey', 'done')),
    channel text,
    refused text,
    sealed bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, request_id) REFERENCES walk_request
);
COMMENT ON COLUMN message.refused IS 'Why her rules let no message go; then there is no sending and nothing sealed.';
CREATE INDEX message_by_request ON message (force_id, request_id);
CALL force_rows('message');

-- A form half filled in, found by the digest of a random cookie, sealed under the master key, gone in a few hours.
CREATE TABLE draft (
    force_id text NOT NULL,
    id uuid NOT NULL,
    digest bytea NOT NULL,
    sealed bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, id),
    UNIQUE (force_id, digest)
);
CALL force_rows('draft');

-- migrate:down
DROP TABLE draft, message, waiting_baseline, walk_concern, accepted_key, walk_request, participant_digest, participant;
