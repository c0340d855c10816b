-- migrate:up

-- Row-level security by force: every table with a force_id is protected by one call of force_rows().
CREATE FUNCTION permitted_forces() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT string_to_array(current_setting('walkandtalk.forces', true), ',') $$;

-- The policy holds for the owner too (FORCE), and for the web and bus roles alike. The sub-select makes the
-- planner ask once a statement, not once a row.
CREATE PROCEDURE force_rows(protected regclass)
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', protected);
    EXECUTE format(
        'CREATE POLICY by_force ON %s USING (force_id = ANY ((SELECT permitted_forces())::text[]))', protected);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO walkandtalk_web, walkandtalk_bus', protected);
END
$$;

-- migrate:down
DROP PROCEDURE force_rows(regclass);
DROP FUNCTION permitted_forces();
