-- enrol_officers
-- The register of walking officers as the force's file has it.
INSERT INTO officer AS o (force_id, id, name, kind, team_id, team_ids, trained_on)
SELECT force_id, id, name, kind, team_id, string_to_array(team_ids, ' '), trained_on
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[])
    AS given (force_id, id, name, kind, team_id, team_ids, trained_on)
ON CONFLICT (force_id, id) DO UPDATE
SET name = excluded.name, kind = excluded.kind, team_id = excluded.team_id, team_ids = excluded.team_ids,
    trained_on = excluded.trained_on
WHERE (o.name, o.kind, o.team_id, o.team_ids, o.trained_on)
    IS DISTINCT FROM (excluded.name, excluded.kind, excluded.team_id, excluded.team_ids, excluded.trained_on);

-- strike_officers
-- Officers of a force who are no longer on its register.
DELETE FROM officer WHERE force_id = $1 AND id <> ALL ($2::text[]);

-- officers
-- The register of a force, by name.
SELECT force_id, id, name, kind, team_id, team_ids, trained_on FROM officer WHERE force_id = $1 ORDER BY name, id;

-- officers_by_id
-- The register's entries of these officers.
SELECT force_id, id, name, kind, team_id, team_ids, trained_on FROM officer
WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[]));
