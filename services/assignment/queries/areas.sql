-- publish_teams
-- The teams of the boundaries now in force.
INSERT INTO team (force_id, id, name)
SELECT force_id, id, min(name) FROM unnest($1::text[], $2::text[], $3::text[]) AS t (force_id, id, name)
GROUP BY force_id, id
ON CONFLICT (force_id, id) DO UPDATE SET name = excluded.name WHERE team.name <> excluded.name;

-- publish_areas
-- The areas of the boundaries now in force; tells which were not known so before, so that each version is told once.
INSERT INTO area AS a (force_id, id, name, team_id, boundary_version)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
ON CONFLICT (force_id, id) DO UPDATE
SET name = excluded.name, team_id = excluded.team_id, boundary_version = excluded.boundary_version, in_force = true
WHERE (a.name, a.team_id, a.boundary_version, a.in_force)
    IS DISTINCT FROM (excluded.name, excluded.team_id, excluded.boundary_version, true)
RETURNING force_id, id;

-- retire_areas
-- Areas of a force that its boundaries no longer have; their walks keep the name.
UPDATE area SET in_force = false WHERE force_id = $1 AND in_force AND id <> ALL ($2::text[]);

-- areas_in_force
-- The areas a coordinator may choose, by name.
SELECT a.force_id, a.id, a.name, a.team_id, t.name AS team_name, a.boundary_version
FROM area a JOIN team t ON t.force_id = a.force_id AND t.id = a.team_id
WHERE a.in_force AND a.force_id = $1 ORDER BY a.name, a.id;

-- team_names
-- What the teams of a force are called.
SELECT id, name FROM team WHERE force_id = $1 ORDER BY name, id;
