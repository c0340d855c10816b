-- migrate:up

-- A row for every aggregate that ever told anything: like the inbox it is only ever inserted into or found by its whole
-- key, so it is kept by the week the key's id says, and an event touches as many pages after years as in the first week.
ALTER TABLE outbox_key NO FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox_key RENAME TO outbox_key_whole;
ALTER INDEX outbox_key_pkey RENAME TO outbox_key_whole_pkey;
CREATE TABLE outbox_key (
    force_id text NOT NULL,
    topic text NOT NULL,
    key uuid NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (force_id, topic, key)
) PARTITION BY RANGE (key);
CREATE TABLE outbox_key_default PARTITION OF outbox_key DEFAULT WITH (fillfactor = 80);
INSERT INTO outbox_key SELECT force_id, topic, key, sequence FROM outbox_key_whole;
DROP TABLE outbox_key_whole;
CALL force_rows('outbox_key');

-- Partitions ahead of need; run by the bus role at start and daily. Owned by the migrating role, hence definer.
-- Every table that is partitioned by an id gets its weeks.
CREATE OR REPLACE FUNCTION roll_partitions(at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    step constant bigint := 5000000;
    place bigint;
    week timestamptz;
    parent name;
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
    FOR parent IN
        SELECT c.relname FROM pg_partitioned_table AS p
        JOIN pg_class AS c ON c.oid = p.partrelid
        JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE c.relnamespace = 'public'::regnamespace AND a.atttypid = 'uuid'::regtype
        ORDER BY c.relname
    LOOP
        FOR n IN 0 .. 4 LOOP
            week := date_trunc('week', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + n * interval '7 days';
            name := format('%s_%s', parent, to_char(week AT TIME ZONE 'UTC', 'IYYY_IW'));
            IF to_regclass(name) IS NULL THEN
                BEGIN
                    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = %s)',
                                   name, parent, first_id_of(week), first_id_of(week + interval '7 days'),
                                   -- Rows of keys are changed in place, the others never.
                                   CASE parent WHEN 'outbox_key' THEN 80 ELSE 100 END);
                EXCEPTION WHEN check_violation THEN
                    NULL;
                END;
            END IF;
        END LOOP;
    END LOOP;
END
$$;

-- The lowest id of version 7 of a moment, in whole milliseconds (RFC 9562 §5.7).
CREATE FUNCTION first_id_of(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- migrate:down
ALTER TABLE outbox_key NO FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox_key RENAME TO outbox_key_by_week;
ALTER INDEX outbox_key_pkey RENAME TO outbox_key_by_week_pkey;
CREATE TABLE outbox_key (
    force_id text NOT NULL,
    topic text NOT NULL,
    key uuid NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (force_id, topic, key)
) WITH (fillfactor = 80);
INSERT INTO outbox_key SELECT force_id, topic, key, sequence FROM outbox_key_by_week;
DROP TABLE outbox_key_by_week;
CALL force_rows('outbox_key');
CREATE OR REPLACE FUNCTION roll_partitions(at timestamptz) RETURNS void
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
DROP FUNCTION first_id_of(timestamptz);
