-- migrate:up

-- Where and when the team, or allies of it, were seen. What was heard stays here, is emptied by retention and travels
-- nowhere; whoever was spoken with has no name.
CREATE TABLE patrol (
    force_id text NOT NULL,
    id uuid NOT NULL,
    area_id text NOT NULL,
    team_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('foot', 'cycle')),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    -- {"points": [{"latitude": …, "longitude": …}, …]}; NULL where it was the area as a whole.
    places jsonb,
    conversations integer NOT NULL CHECK (conversations BETWEEN 0 AND 200),
    heard text CHECK (length(heard) <= 1000),
    logged_at timestamptz NOT NULL,
    logged_by text NOT NULL,
    replaces uuid,
    withdrawn_at timestamptz,
    withdrawn_by text,
    PRIMARY KEY (force_id, id),
    CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '12 hours'),
    CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL)),
    CHECK (withdrawn_at IS NULL OR heard IS NULL)
);
COMMENT ON COLUMN patrol.replaces IS 'The one that was logged wrongly, where this sets it right.';
-- A correction is made once, however often it is sent.
CREATE UNIQUE INDEX patrol_replacing ON patrol (force_id, replaces) WHERE replaces IS NOT NULL;
CREATE INDEX patrol_of_team ON patrol (force_id, team_id, starts_at DESC, id);
CREATE INDEX patrol_of_force ON patrol (force_id, starts_at DESC, id);
CREATE INDEX patrol_heard ON patrol (force_id, ends_at) WHERE heard IS NOT NULL;
CALL force_rows('patrol');

-- Because of which concerns they were there, passed on to partners or not.
CREATE TABLE patrol_concern (
    force_id text NOT NULL,
    patrol_id uuid NOT NULL,
    concern_id uuid NOT NULL,
    PRIMARY KEY (force_id, patrol_id, concern_id),
    FOREIGN KEY (force_id, patrol_id) REFERENCES patrol (force_id, id) ON DELETE CASCADE
);
CREATE INDEX patrol_of_concern ON patrol_concern (force_id, concern_id);
CALL force_rows('patrol_concern');

-- The team says that there were enough: patrols are not wanted there any more.
CREATE TABLE patrol_enough (
    force_id text NOT NULL,
    concern_id uuid NOT NULL,
    said_at timestamptz NOT NULL,
    said_by text NOT NULL,
    PRIMARY KEY (force_id, concern_id)
);
CALL force_rows('patrol_enough');
CREATE INDEX noted_concern_wanting ON noted_concern (force_id, id) WHERE patrol_wanted;

-- migrate:down
DROP INDEX noted_concern_wanting;
DROP TABLE patrol_enough, patrol_concern, patrol;
