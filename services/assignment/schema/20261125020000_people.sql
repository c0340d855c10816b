-- migrate:up

-- The register of officers is here; a force's file, a spreadsheet, the pages and the identity provider write to it.
ALTER TABLE officer
    ADD COLUMN active boolean NOT NULL DEFAULT true,
    ADD COLUMN kind_allowed boolean NOT NULL DEFAULT true,
    ADD COLUMN trained_elsewhere_on date,
    ADD COLUMN trained_until date,
    ADD COLUMN languages text[] NOT NULL DEFAULT '{}',
    ADD COLUMN email text,
    ADD COLUMN source text NOT NULL DEFAULT 'file' CHECK (source IN ('file', 'register', 'scim'));
UPDATE officer SET trained_elsewhere_on = trained_on;
COMMENT ON COLUMN officer.active IS 'False: left, or switched off by the identity provider. Rows stay, for walks that were held have their names.';
COMMENT ON COLUMN officer.kind_allowed IS 'Whether the policy lets this kind walk, as it was read last: for the trigger below.';
COMMENT ON COLUMN officer.trained_elsewhere_on IS 'A session that is not among those recorded here.';
COMMENT ON COLUMN officer.trained_on IS 'Since when the officer is trained in all the policy asks for: worked out from sessions and the column before.';
COMMENT ON COLUMN officer.trained_until IS 'The last day on which that training counts; NULL: it does not expire.';
COMMENT ON COLUMN officer.source IS 'Who last wrote the entry. The file of the force says nothing of entries others wrote.';
CREATE INDEX officer_by_name ON officer (force_id, lower(name), id);

CREATE TABLE training_session (
    force_id text NOT NULL,
    id uuid NOT NULL,
    held_on date NOT NULL,
    way text NOT NULL CHECK (way IN ('online', 'in-person')),
    name text NOT NULL,
    covers text[] NOT NULL,
    PRIMARY KEY (force_id, id)
);
CREATE INDEX training_session_by_day ON training_session (force_id, held_on, id);
CALL force_rows('training_session');

CREATE TABLE training_attendance (
    force_id text NOT NULL,
    session_id uuid NOT NULL,
    officer_id text NOT NULL,
    PRIMARY KEY (force_id, session_id, officer_id),
    FOREIGN KEY (force_id, session_id) REFERENCES training_session (force_id, id),
    FOREIGN KEY (force_id, officer_id) REFERENCES officer (force_id, id)
);
CREATE INDEX training_attendance_of_officer ON training_attendance (force_id, officer_id);
CALL force_rows('training_attendance');

CREATE TABLE availability (
    force_id text NOT NULL,
    id uuid NOT NULL,
    officer_id text NOT NULL,
    weekday text NOT NULL CHECK (
        weekday IN ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')
    ),
    from_minute integer NOT NULL,
    to_minute integer NOT NULL,
    valid_from date,
    valid_until date,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, officer_id) REFERENCES officer (force_id, id),
    CHECK (0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440),
    CHECK (valid_from <= valid_until)
);
COMMENT ON TABLE availability IS 'When an officer can usually walk: a weekly window, minutes since midnight in London.';
CREATE INDEX availability_of_officer ON availability (force_id, officer_id);
CALL force_rows('availability');

CREATE TABLE absence (
    force_id text NOT NULL,
    id uuid NOT NULL,
    officer_id text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, officer_id) REFERENCES officer (force_id, id),
    CHECK (first_day <= last_day)
);
COMMENT ON TABLE absence IS 'Days in London on which an officer cannot walk, both included. Why is nobody’s business here.';
CREATE INDEX absence_of_officer ON absence (force_id, officer_id, last_day);
CALL force_rows('absence');

-- What the identity provider keeps here by SCIM. A person stays, switched off, when it deletes one: sessions are refused
-- by this table.
CREATE TABLE scim_user (
    force_id text NOT NULL,
    id uuid NOT NULL,
    user_name text NOT NULL,
    external_id text,
    subject text NOT NULL,
    active boolean NOT NULL,
    document jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (force_id, id)
);
CREATE UNIQUE INDEX scim_user_name ON scim_user (force_id, lower(user_name)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX scim_user_external ON scim_user (force_id, external_id) WHERE deleted_at IS NULL;
CREATE INDEX scim_user_subject ON scim_user (force_id, subject);
CALL force_rows('scim_user');

CREATE TABLE scim_group (
    force_id text NOT NULL,
    id uuid NOT NULL,
    display_name text NOT NULL,
    external_id text,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, id)
);
CREATE UNIQUE INDEX scim_group_name ON scim_group (force_id, lower(display_name));
CALL force_rows('scim_group');

CREATE TABLE scim_member (
    force_id text NOT NULL,
    group_id uuid NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (force_id, group_id, user_id),
    FOREIGN KEY (force_id, group_id) REFERENCES scim_group (force_id, id) ON DELETE CASCADE,
    FOREIGN KEY (force_id, user_id) REFERENCES scim_user (force_id, id)
);
CREATE INDEX scim_member_of ON scim_member (force_id, user_id);
CALL force_rows('scim_member');

-- The last door: whatever the program decided, a walk comes to nobody who is off, untrained, expired, absent that day or
-- of a kind the policy does not name. The entry is locked against change meanwhile, so that of switching an officer off
-- and giving her a walk one sees the other. AFTER, because a row that is already there is inserted first as well.
CREATE FUNCTION officer_may_walk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM officer AS o
    WHERE o.force_id = NEW.force_id AND o.id = NEW.officer_id AND o.active AND o.kind_allowed
        AND o.trained_on IS NOT NULL
        AND (o.trained_until >= (coalesce(NEW.starts_at, now()) AT TIME ZONE 'Europe/London')::date) IS NOT FALSE
        AND NOT EXISTS (
            SELECT FROM absence AS a WHERE a.force_id = o.force_id AND a.officer_id = o.id
                AND (NEW.starts_at AT TIME ZONE 'Europe/London')::date BETWEEN a.first_day AND a.last_day
        )
    FOR SHARE OF o;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'officer_may_walk', TABLE = 'walk',
            MESSAGE = 'this officer may not be given this walk';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER officer_may_walk_new AFTER INSERT ON walk FOR EACH ROW
WHEN (NEW.state IN ('taken', 'arranged')) EXECUTE FUNCTION officer_may_walk();
CREATE TRIGGER officer_may_walk_changed AFTER UPDATE ON walk FOR EACH ROW
WHEN (
    NEW.state IN ('taken', 'arranged') AND (
        OLD.officer_id IS DISTINCT FROM NEW.officer_id OR OLD.starts_at IS DISTINCT FROM NEW.starts_at
        OR OLD.state NOT IN ('taken', 'arranged')
    )
) EXECUTE FUNCTION officer_may_walk();

-- migrate:down
DROP TRIGGER officer_may_walk_changed ON walk;
DROP TRIGGER officer_may_walk_new ON walk;
DROP FUNCTION officer_may_walk();
DROP TABLE scim_member, scim_group, scim_user, absence, availability, training_attendance, training_session;
DROP INDEX officer_by_name;
ALTER TABLE officer DROP COLUMN source, DROP COLUMN email, DROP COLUMN languages, DROP COLUMN trained_until,
    DROP COLUMN trained_elsewhere_on, DROP COLUMN kind_allowed, DROP COLUMN active;
