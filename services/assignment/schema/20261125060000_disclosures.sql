-- migrate:up

-- That an alleged crime or intelligence came up, and what was done: never what was said. Crime and intelligence are
-- recorded in the force's own systems; here stands their number. No event, export, survey or count reads this table.
CREATE TABLE disclosure (
    force_id text NOT NULL,
    id uuid NOT NULL,
    walk_id uuid,
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL,
    due_at timestamptz NOT NULL,
    kind text CHECK (kind IN ('crime', 'intelligence')),
    -- Room for a number and for nothing else: no spaces, six letters at most and never four in a row.
    reference text CHECK (
        reference !~ '[A-Z]{4}' AND reference ~ '^[A-Z0-9][A-Z0-9/.-]{3,23}$'
        AND length(regexp_replace(reference, '[^A-Z]', '', 'g')) <= 6
        AND length(regexp_replace(reference, '[^0-9]', '', 'g')) >= 3
    ),
    safeguarding text[] NOT NULL DEFAULT '{}' CHECK (
        safeguarding <@ '{made-safe,risk-assessed,referred,specialist-told,supervisor-told,none-needed}'::text[]
    ),
    safeguarded_at timestamptz,
    safeguarded_by text,
    signposted text[] NOT NULL DEFAULT '{}' CHECK (
        signposted <@ '{how-to-report,victim-support,domestic-abuse,sexual-violence,health,other,none-wanted}'::text[]
    ),
    recorded_at timestamptz,
    recorded_by text,
    overdue_at timestamptz,
    withdrawn_at timestamptz,
    withdrawn_by text,
    withdrawn_because text CHECK (withdrawn_because IN ('opened-by-mistake', 'recorded-twice')),
    unsettled boolean NOT NULL,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, walk_id) REFERENCES walk (force_id, id),
    CHECK (unsettled = (withdrawn_at IS NULL AND (reference IS NULL OR cardinality(safeguarding) = 0))),
    CHECK ((reference IS NULL) = (kind IS NULL)),
    CHECK ((cardinality(safeguarding) = 0) = (safeguarded_at IS NULL)),
    CHECK ((safeguarded_at IS NULL) = (safeguarded_by IS NULL)),
    CHECK ((recorded_at IS NULL) = (recorded_by IS NULL)),
    CHECK (num_nonnulls(withdrawn_at, withdrawn_by, withdrawn_because) IN (0, 3))
);
COMMENT ON COLUMN disclosure.walk_id IS 'NULL once every woman of the walk was erased: nothing leads to a request then.';
-- One at a time: what is said next goes into the one that is open.
CREATE UNIQUE INDEX disclosure_of_walk ON disclosure (force_id, walk_id) WHERE unsettled;
CREATE INDEX disclosure_by_walk ON disclosure (force_id, walk_id);
CREATE INDEX disclosure_by_day ON disclosure (force_id, unsettled, due_at, id);
CALL force_rows('disclosure');
-- Pages neither delete one nor move it to another walk. The bus side, which only minds the clock and erasure, cannot
-- read what was recorded at all.
REVOKE ALL ON disclosure FROM walkandtalk_web, walkandtalk_bus;
GRANT SELECT, INSERT ON disclosure TO walkandtalk_web;
GRANT UPDATE (
    kind, reference, safeguarding, safeguarded_at, safeguarded_by, signposted, recorded_at, recorded_by,
    withdrawn_at, withdrawn_by, withdrawn_because, unsettled
) ON disclosure TO walkandtalk_web;
GRANT SELECT (force_id, id, walk_id, due_at, overdue_at, recorded_at, withdrawn_at, unsettled), UPDATE (walk_id, overdue_at),
    DELETE ON disclosure TO walkandtalk_bus;

-- A walk is not closed before reference and safeguarding are recorded, whoever asks and however close together.
CREATE FUNCTION refuse_closing_with_disclosure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM disclosure AS d WHERE d.force_id = NEW.force_id AND d.walk_id = NEW.id AND d.unsettled
    ) THEN
        RAISE EXCEPTION 'the walk cannot be closed yet'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'walk_closed_with_disclosure', TABLE = 'walk';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER walk_closed_with_disclosure BEFORE UPDATE ON walk FOR EACH ROW
    WHEN (NEW.state = 'completed' AND OLD.state <> 'completed') EXECUTE FUNCTION refuse_closing_with_disclosure();

-- Whoever opens one holds the walk, so that it is not being closed meanwhile: the key it refers to would not.
CREATE FUNCTION hold_walk_of_disclosure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM walk AS w WHERE w.force_id = NEW.force_id AND w.id = NEW.walk_id FOR NO KEY UPDATE;
    RETURN NEW;
END
$$;
CREATE TRIGGER disclosure_holds_its_walk BEFORE INSERT ON disclosure FOR EACH ROW
    EXECUTE FUNCTION hold_walk_of_disclosure();

-- migrate:down
DROP TRIGGER walk_closed_with_disclosure ON walk;
DROP TABLE disclosure;
DROP FUNCTION refuse_closing_with_disclosure();
DROP FUNCTION hold_walk_of_disclosure();
