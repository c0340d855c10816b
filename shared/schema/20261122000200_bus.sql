-- migrate:up

-- The last sequence of each aggregate's events. Its row is the lock under which an event takes its position, so
-- positions of one key are in commit order, whatever the rest of the transaction locks.
CREATE TABLE outbox_key (
    force_id text NOT NULL,
    topic text NOT NULL,
    key uuid NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (force_id, topic, key)
) WITH (fillfactor = 80);
CALL force_rows('outbox_key');

CREATE SEQUENCE outbox_position AS bigint;
GRANT USAGE ON SEQUENCE outbox_position TO walkandtalk_web, walkandtalk_bus;

-- What was published or is to be, append only: kept for replay, dropped a partition at a time.
CREATE TABLE outbox_log (
    force_id text NOT NULL,
    position bigint NOT NULL DEFAULT nextval('outbox_position'),
    topic text NOT NULL,
    key uuid NOT NULL,
    sequence bigint NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    time timestamptz NOT NULL,
    correlation_id uuid,
    causation_id uuid,
    traceparent text,
    headers jsonb,
    data bytea NOT NULL,
    PRIMARY KEY (position)
) PARTITION BY RANGE (position);
CREATE TABLE outbox_log_default PARTITION OF outbox_log DEFAULT;
CALL force_rows('outbox_log');

-- What has still to be published: narrow, and deleted rather than updated.
CREATE TABLE outbox_pending (
    force_id text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (position)
);
CALL force_rows('outbox_pending');

-- Events that have taken effect here. Partitioned by id: a version 7 id says its week, anything else goes to the
-- default partition, so uniqueness stays in one index and old weeks are dropped whole.
CREATE TABLE inbox (
    force_id text NOT NULL,
    id uuid NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (id, force_id)
) PARTITION BY RANGE (id);
CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;
CALL force_rows('inbox');

-- Records that could not take effect yet: parked for a person, or awaiting a parent. Later records of the same
-- topic and key are held behind them, so the order of a key survives.
CREATE TABLE held (
    force_id text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    why text NOT NULL CHECK (why IN ('unreadable', 'failed', 'behind', 'awaiting')),
    digest bytea NOT NULL,
    id uuid,
    topic text NOT NULL,
    key bytea,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    headers jsonb NOT NULL,
    value bytea,
    reason text NOT NULL,
    awaits uuid,
    held_at timestamptz NOT NULL,
    try_at timestamptz,
    tries integer NOT NULL DEFAULT 0,
    PRIMARY KEY (force_id, position)
);
COMMENT ON COLUMN held.try_at IS 'When to try again: by itself for awaiting, when a person asked for parked ones.';
CREATE UNIQUE INDEX held_once ON held (force_id, digest);
CREATE INDEX held_by_key ON held (topic, key);
CREATE INDEX held_by_parent ON held (awaits) WHERE awaits IS NOT NULL;
CREATE INDEX held_to_try ON held (try_at) WHERE try_at IS NOT NULL;
CALL force_rows('held');

-- Which cluster the log was last published to: on another one the relay publishes it again.
CREATE TABLE relay_bus (
    one boolean PRIMARY KEY CHECK (one),
    bus_id text NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON relay_bus TO walkandtalk_bus;

-- Partitions ahead of need; run by the bus role at start and daily. Owned by the migrating role, hence definer.
CREATE FUNCTION roll_partitions(at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    step constant bigint := 5000000;
    place bigint;
    week timestamptz;
    lower_id uuid;
    upper_id uuid;
    name text;
BEGIN
    SELECT last_value / step INTO place FROM outbox_position;
    FOR n IN place .. place + 1 LOOP
        name := format('outbox_log_%s', n);
        IF to_regclass(name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF outbox_log FOR VALUES FROM (%s) TO (%s)',
                               name, n * step, (n + 1) * step);
            EXCEPTION WHEN check_violation THEN
                -- The default partition already holds rows of this range: they stay there.
                NULL;
            END;
        END IF;
    END LOOP;
    FOR n IN 0 .. 4 LOOP
        week := date_trunc('week', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + n * interval '7 days';
        name := format('inbox_%s', to_char(week AT TIME ZONE 'UTC', 'IYYY_IW'));
        IF to_regclass(name) IS NULL THEN
            lower_id := (lpad(to_hex((extract(epoch FROM week) * 1000)::bigint), 12, '0')
                         || '00000000000000000000')::uuid;
            upper_id := (lpad(to_hex((extract(epoch FROM week + interval '7 days') * 1000)::bigint), 12, '0')
                         || '00000000000000000000')::uuid;
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF inbox FOR VALUES FROM (%L) TO (%L)',
                               name, lower_id, upper_id);
            EXCEPTION WHEN check_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION roll_partitions(timestamptz) TO walkandtalk_bus;

-- migrate:down
DROP FUNCTION roll_partitions(timestamptz);
DROP TABLE relay_bus, held, inbox, outbox_pending, outbox_log, outbox_key;
DROP SEQUENCE outbox_position;
