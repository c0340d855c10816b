-- migrate:up

-- Trusted, so the owner of the database may add it: uuid and text equality beside a range in one exclusion constraint.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE team (
    force_id text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('team');

CREATE TABLE area (
    force_id text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    team_id text NOT NULL,
    boundary_version text NOT NULL,
    in_force boolean NOT NULL DEFAULT true,
    PRIMARY KEY (force_id, id)
);
COMMENT ON COLUMN area.boundary_version IS 'The last version the area stood in; a walk keeps the version it was routed by.';
CALL force_rows('area');

CREATE TABLE officer (
    force_id text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    team_id text NOT NULL,
    team_ids text[] NOT NULL,
    trained_on date,
    PRIMARY KEY (force_id, id)
);
COMMENT ON COLUMN officer.team_ids IS 'All teams the officer walks for, their own among them.';
COMMENT ON COLUMN officer.id IS 'The subject the identity provider knows the officer by.';
CALL force_rows('officer');

CREATE TABLE walk (
    force_id text NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('triage', 'routed', 'taken', 'arranged', 'completed', 'cancelled')),
    latitude double precision NOT NULL,
    longitude double precision NOT NULL,
    requested_at timestamptz NOT NULL,
    arrange_by timestamptz NOT NULL,
    triage_reason text,
    area_id text,
    team_id text,
    boundary_version text,
    routed_by text,
    distance_m double precision,
    officer_id text,
    officer_kind text,
    starts_at timestamptz,
    busy_until timestamptz,
    meeting_place text,
    started_at timestamptz,
    ended_at timestamptz,
    streetsafe_shown boolean NOT NULL DEFAULT false,
    cancel_reason text,
    PRIMARY KEY (force_id, id),
    CHECK ((state = 'triage') = (triage_reason IS NOT NULL)),
    CHECK (state IN ('triage', 'cancelled') OR (area_id IS NOT NULL AND team_id IS NOT NULL)),
    CHECK (state NOT IN ('taken', 'arranged', 'completed') OR officer_id IS NOT NULL),
    CHECK (state <> 'arranged' OR (starts_at < busy_until AND meeting_place IS NOT NULL)),
    CHECK (state <> 'completed' OR started_at < ended_at),
    CHECK ((state = 'cancelled') = (cancel_reason IS NOT NULL)),
    -- An officer is at one walk at a time, whoever arranges them and however close together.
    CONSTRAINT officer_double_booked EXCLUDE USING gist (
        force_id WITH =, officer_id WITH =, tstzrange(starts_at, busy_until) WITH &&
    ) WHERE (state = 'arranged')
);
CREATE INDEX walk_of_team ON walk (force_id, state, team_id, requested_at, id);
CREATE INDEX walk_of_officer ON walk (force_id, officer_id, state) WHERE officer_id IS NOT NULL;
CALL force_rows('walk');

CREATE TABLE request (
    force_id text NOT NULL,
    id uuid NOT NULL,
    walk_id uuid NOT NULL,
    requested_at timestamptz NOT NULL,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL,
    place_from_postcode boolean NOT NULL,
    lives_or_works_here boolean NOT NULL,
    reasons text[] NOT NULL,
    availability jsonb NOT NULL,
    contact jsonb NOT NULL,
    group_walk_welcome boolean NOT NULL,
    language text NOT NULL,
    withdrawn_at timestamptz,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, walk_id) REFERENCES walk (force_id, id)
);
COMMENT ON TABLE request IS 'A request as the team needs it; who asks is in intake alone.';
CREATE INDEX request_of_walk ON request (force_id, walk_id);
CALL force_rows('request');

CREATE TABLE concern (
    force_id text NOT NULL,
    id uuid NOT NULL,
    walk_id uuid NOT NULL,
    category text NOT NULL,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL,
    place_name text,
    time_of_day text,
    severity text NOT NULL,
    words text CHECK (length(words) <= 4000),
    raised_on date NOT NULL,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, walk_id) REFERENCES walk (force_id, id)
);
CREATE INDEX concern_of_walk ON concern (force_id, walk_id);
CALL force_rows('concern');

CREATE TABLE referral (
    force_id text NOT NULL,
    id uuid NOT NULL,
    concern_id uuid NOT NULL,
    partner_id text NOT NULL,
    partner_name text NOT NULL,
    state text NOT NULL,
    told_at timestamptz NOT NULL,
    words text,
    respond_by date,
    planned_for date,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, concern_id) REFERENCES concern (force_id, id)
);
COMMENT ON TABLE referral IS 'What a partner last said of a concern; partners decides, the team only reads.';
CREATE INDEX referral_of_concern ON referral (force_id, concern_id);
CALL force_rows('referral');

CREATE TABLE follow_up (
    force_id text NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('contact', 'review')),
    urgency text NOT NULL,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    request_id uuid,
    contact_id uuid,
    walk_id uuid,
    officer_id text,
    reasons text[] NOT NULL,
    overdue_at timestamptz,
    completed_at timestamptz,
    completed_by text,
    outcome text,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, walk_id) REFERENCES walk (force_id, id),
    CHECK ((kind = 'contact') = (request_id IS NOT NULL AND contact_id IS NOT NULL)),
    CHECK ((completed_at IS NULL) = (outcome IS NULL))
);
-- One contact is wanted once, however often it is told.
CREATE UNIQUE INDEX follow_up_of_contact ON follow_up (force_id, contact_id);
CREATE INDEX follow_up_open ON follow_up (force_id, due_at) WHERE completed_at IS NULL;
CREATE INDEX follow_up_of_walk ON follow_up (force_id, walk_id);
CALL force_rows('follow_up');

-- migrate:down
DROP TABLE follow_up, referral, concern, request, walk, officer, area, team;
DROP EXTENSION btree_gist;
