-- migrate:up

-- Which version of a force's policy the partners below were taken from.
CREATE TABLE register (
    force_id text NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (force_id)
);
CALL force_rows('register');

-- Who the force has, or had, an agreement with.
CREATE TABLE partner (
    force_id text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    email text,
    agreed_on date NOT NULL,
    coverage jsonb NOT NULL,
    active boolean NOT NULL,
    PRIMARY KEY (force_id, id)
);
COMMENT ON COLUMN partner.coverage IS 'List of {areas, categories}; an empty list means every one of the force.';
COMMENT ON COLUMN partner.active IS 'False once the agreement is no longer in the policy: kept for its referrals.';
CALL force_rows('partner');

-- Neighbourhood areas by name, as assignment published them.
CREATE TABLE area (
    force_id text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    team_id text NOT NULL,
    team_name text NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('area');

-- What somebody ought to act on. One withdrawn before it was raised is a bare tombstone.
CREATE TABLE concern (
    force_id text NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('referred', 'triage', 'resolved', 'withdrawn')),
    triage_reason text CHECK (triage_reason IN ('not-covered', 'all-declined')),
    area_id text,
    category text,
    latitude double precision,
    longitude double precision,
    place_name text,
    time_of_day text,
    severity text,
    words text,
    raised_on date,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, area_id) REFERENCES area,
    CHECK ((state = 'triage') = (triage_reason IS NOT NULL)),
    CHECK (state = 'withdrawn' OR num_nulls(area_id, category, latitude, longitude, severity, raised_on) = 0)
);
CREATE INDEX concern_in_triage ON concern (received_at, force_id) WHERE state = 'triage';
CALL force_rows('concern');

-- A partner asked to act on a concern: each partner once, one at a time.
CREATE TABLE referral (
    force_id text NOT NULL,
    id uuid NOT NULL,
    reference uuid NOT NULL,
    concern_id uuid NOT NULL,
    partner_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('made', 'accepted', 'declined', 'resolved', 'withdrawn')),
    made_at timestamptz NOT NULL,
    respond_by timestamptz NOT NULL,
    overdue boolean NOT NULL DEFAULT false,
    progress text CHECK (progress IN ('investigating', 'planned', 'partly-done', 'monitoring')),
    words text,
    planned_for date,
    reason text,
    resolution text CHECK (resolution IN ('done', 'nothing-more')),
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, id),
    UNIQUE (reference, force_id),
    UNIQUE (concern_id, partner_id, force_id),
    FOREIGN KEY (force_id, concern_id) REFERENCES concern,
    FOREIGN KEY (force_id, partner_id) REFERENCES partner,
    CHECK ((state = 'declined') = (reason IS NOT NULL)),
    CHECK ((state = 'resolved') = (resolution IS NOT NULL))
);
COMMENT ON COLUMN referral.reference IS 'Version 4, made for the partner: the only id it is ever given.';
-- Only the key begins with the force: of two indexes that do, a planner without statistics may take the wrong one.
CREATE UNIQUE INDEX referral_open_once ON referral (concern_id, force_id) WHERE state IN ('made', 'accepted');
CREATE INDEX referral_of_partner ON referral (partner_id, force_id, state);
CREATE INDEX referral_by_state ON referral (state, force_id, overdue DESC, respond_by, reference);
CALL force_rows('referral');

-- What was said of a referral, line by line.
CREATE TABLE referral_change (
    force_id text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    referral_id uuid NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL CHECK (by IN ('partner', 'police')),
    status text NOT NULL,
    progress text,
    words text,
    planned_for date,
    PRIMARY KEY (force_id, referral_id, id),
    FOREIGN KEY (force_id, referral_id) REFERENCES referral
);
CALL force_rows('referral_change');

-- What is sent to a partner about a referral; when and with what outcome stands in sending, under the same id.
CREATE TABLE delivery (
    force_id text NOT NULL,
    id uuid NOT NULL,
    referral_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('referred', 'reminder', 'withdrawn')),
    channel text NOT NULL CHECK (channel IN ('email')),
    made_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, id),
    UNIQUE (referral_id, kind, channel, force_id),
    FOREIGN KEY (force_id, referral_id) REFERENCES referral
);
CALL force_rows('delivery');

-- migrate:down
DROP TABLE delivery, referral_change, referral, concern, area, partner, register;
