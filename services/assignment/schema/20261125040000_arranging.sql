-- migrate:up

-- A walk may have a second officer; what was arranged and not held; when its officers are to be asked whether they are
-- back.
ALTER TABLE walk
    ADD COLUMN second_officer_id text,
    ADD COLUMN not_held jsonb,
    ADD COLUMN check_in_at timestamptz,
    ADD CONSTRAINT walk_second_is_another CHECK (second_officer_id <> officer_id);
CREATE INDEX walk_of_second ON walk (force_id, second_officer_id, state) WHERE second_officer_id IS NOT NULL;
-- Arranged walks alone are asked about, and there are few of them at a time.
CREATE INDEX walk_to_check_in ON walk (force_id, check_in_at) WHERE state = 'arranged' AND check_in_at IS NOT NULL;
COMMENT ON COLUMN walk.not_held IS 'The times at which it was arranged and not held, and why: of a list, no words of anybody.';

ALTER TABLE walk DROP CONSTRAINT officer_double_booked;
-- Who is on which walk when. An officer is at one walk at a time, as first or second, whoever arranges them and however
-- close together. Kept by the walk itself, so that no way of writing one leaves it out.
CREATE TABLE booking (
    force_id text NOT NULL,
    walk_id uuid NOT NULL,
    officer_id text NOT NULL,
    second boolean NOT NULL,
    starts_at timestamptz,
    busy_until timestamptz,
    PRIMARY KEY (force_id, walk_id, officer_id),
    FOREIGN KEY (force_id, walk_id) REFERENCES walk (force_id, id),
    CHECK ((starts_at IS NULL) = (busy_until IS NULL)),
    CONSTRAINT officer_double_booked EXCLUDE USING gist (
        force_id WITH =, officer_id WITH =, tstzrange(starts_at, busy_until) WITH &&
    ) WHERE (starts_at IS NOT NULL)
);
CREATE INDEX booking_of_officer ON booking (force_id, officer_id, starts_at);
COMMENT ON COLUMN booking.starts_at IS 'NULL until a time is arranged.';
CALL force_rows('booking');

CREATE FUNCTION book_officers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM booking AS b WHERE b.force_id = NEW.force_id AND b.walk_id = NEW.id;
    IF NEW.state IN ('taken', 'arranged') THEN
        INSERT INTO booking (force_id, walk_id, officer_id, second, starts_at, busy_until)
        SELECT
            NEW.force_id, NEW.id, o.id, o.second,
            CASE NEW.state WHEN 'arranged' THEN NEW.starts_at END,
            CASE NEW.state WHEN 'arranged' THEN NEW.busy_until END
        FROM (VALUES (NEW.officer_id, false), (NEW.second_officer_id, true)) AS o (id, second)
        WHERE o.id IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER officers_booked_new AFTER INSERT ON walk FOR EACH ROW
WHEN (NEW.state IN ('taken', 'arranged')) EXECUTE FUNCTION book_officers();
CREATE TRIGGER officers_booked_changed AFTER UPDATE ON walk FOR EACH ROW
WHEN (
    (OLD.state, OLD.officer_id, OLD.second_officer_id, OLD.starts_at, OLD.busy_until)
    IS DISTINCT FROM (NEW.state, NEW.officer_id, NEW.second_officer_id, NEW.starts_at, NEW.busy_until)
) EXECUTE FUNCTION book_officers();

INSERT INTO booking (force_id, walk_id, officer_id, second, starts_at, busy_until)
SELECT
    force_id, id, officer_id, false,
    CASE state WHEN 'arranged' THEN starts_at END,
    CASE state WHEN 'arranged' THEN busy_until END
FROM walk WHERE state IN ('taken', 'arranged');

-- The walk's own door looks at its officer; a second one comes through the same.
CREATE TRIGGER second_may_walk AFTER INSERT ON booking FOR EACH ROW
WHEN (NEW.second) EXECUTE FUNCTION officer_may_walk();

-- The secret address under which an officer's calendar fetches what is arranged; whoever has it can read that.
CREATE TABLE calendar_feed (
    force_id text NOT NULL,
    officer_id text NOT NULL,
    token_hash bytea NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (force_id, officer_id)
);
CREATE UNIQUE INDEX calendar_feed_by_token ON calendar_feed (force_id, token_hash);
CALL force_rows('calendar_feed');

-- migrate:down
DROP TABLE calendar_feed;
DROP TRIGGER officers_booked_changed ON walk;
DROP TRIGGER officers_booked_new ON walk;
DROP TABLE booking;
DROP FUNCTION book_officers();
ALTER TABLE walk ADD CONSTRAINT officer_double_booked EXCLUDE USING gist (
    force_id WITH =, officer_id WITH =, tstzrange(starts_at, busy_until) WITH &&
) WHERE (state = 'arranged');
ALTER TABLE walk DROP CONSTRAINT walk_second_is_another, DROP COLUMN check_in_at, DROP COLUMN not_held,
    DROP COLUMN second_officer_id;
