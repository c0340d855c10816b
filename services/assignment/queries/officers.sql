-- enrol_officers
-- What a force's file says of officers; of entries that others wrote it says nothing.
INSERT INTO officer AS o (force_id, id, name, kind, team_id, team_ids, trained_elsewhere_on)
SELECT force_id, id, name, kind, team_id, string_to_array(team_ids, ' '), trained_elsewhere_on
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[])
    AS given (force_id, id, name, kind, team_id, team_ids, trained_elsewhere_on)
ON CONFLICT (force_id, id) DO UPDATE
SET name = excluded.name, kind = excluded.kind, team_id = excluded.team_id, team_ids = excluded.team_ids,
    trained_elsewhere_on = excluded.trained_elsewhere_on, active = true
WHERE o.source = 'file';

-- strike_officers
-- Officers of a file who do not stand in it any more are off; the entry stays for the walks that were held.
UPDATE officer SET active = false WHERE force_id = $1 AND source = 'file' AND active AND id <> ALL ($2::text[]);

-- save_officers
-- Entries of the register as they now are.
INSERT INTO officer (
    force_id, id, name, kind, team_id, team_ids, trained_elsewhere_on, active, languages, email, source
)
SELECT
    force_id, id, name, kind, team_id, string_to_array(team_ids, ' '), trained_elsewhere_on, active,
    string_to_array(languages, ' '), email, source
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[], $8::boolean[], $9::text[],
    $10::text[], $11::text[]
) AS given (
    force_id, id, name, kind, team_id, team_ids, trained_elsewhere_on, active, languages, email, source
)
ON CONFLICT (force_id, id) DO UPDATE SET
    name = excluded.name, kind = excluded.kind, team_id = excluded.team_id, team_ids = excluded.team_ids,
    trained_elsewhere_on = excluded.trained_elsewhere_on, active = excluded.active, languages = excluded.languages,
    email = excluded.email, source = excluded.source;

-- save_standing
-- What training and policy come to for these officers: worked out, never typed.
UPDATE officer AS o SET trained_on = given.trained_on, trained_until = given.trained_until, kind_allowed = given.allowed
FROM unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::boolean[])
    AS given (force_id, id, trained_on, trained_until, allowed)
WHERE o.force_id = given.force_id AND o.id = given.id
    AND (o.trained_on, o.trained_until, o.kind_allowed)
        IS DISTINCT FROM (given.trained_on, given.trained_until, given.allowed);

-- officers
-- The register of a force, by name.
SELECT * FROM officer WHERE force_id = $1 ORDER BY lower(name), id;

-- officers_by_id
-- The register's entries of these officers.
SELECT * FROM officer WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[]));

-- officers_found
-- A page of the register by name, of those whose name or id holds a text, in a team where one is named.
SELECT * FROM officer
WHERE force_id = $1 AND ($2 = '' OR lower(name) LIKE '%' || $2 || '%' OR id LIKE '%' || $2 || '%')
    AND ($3::text IS NULL OR team_ids @> ARRAY[$3]) AND (active OR $4)
ORDER BY lower(name), id LIMIT $5 OFFSET $6;

-- officers_to_train
-- A page of officers in service who are not trained, or whose training expires by a day, the soonest first.
SELECT * FROM officer
WHERE force_id = $1 AND active AND kind_allowed AND (trained_on IS NULL OR trained_until <= $2)
ORDER BY trained_until NULLS FIRST, lower(name), id LIMIT $3 OFFSET $4;

-- absences_of_officers
-- The days on which these officers cannot walk; those long past are forgotten.
SELECT * FROM absence WHERE (force_id, officer_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY first_day, id;

-- windows_of_officers
-- When these officers can usually walk.
SELECT * FROM availability
WHERE (force_id, officer_id) IN (SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY weekday, from_minute, id;

-- save_windows
-- New weekly windows of officers.
INSERT INTO availability (force_id, id, officer_id, weekday, from_minute, to_minute, valid_from, valid_until)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::integer[], $7::date[], $8::date[]
);

-- remove_window
-- An officer's window that holds no more.
DELETE FROM availability WHERE force_id = $1 AND officer_id = $2 AND id = $3;

-- save_languages
-- What an officer speaks beside English.
UPDATE officer SET languages = $3 WHERE force_id = $1 AND id = $2;

-- save_absence
-- Days on which an officer cannot walk.
INSERT INTO absence (force_id, id, officer_id, first_day, last_day) VALUES ($1, $2, $3, $4, $5);

-- remove_absence
-- An officer is there after all.
DELETE FROM absence WHERE force_id = $1 AND officer_id = $2 AND id = $3;

-- forget_absences
-- Days that have long passed say nothing any more.
DELETE FROM absence WHERE force_id = $1 AND last_day < $2;

-- lock_open_walks_of_officers
-- Walks that these officers have in hand or come along to, locked in one order.
SELECT * FROM walk
WHERE force_id = $1 AND (officer_id = ANY ($2::text[]) OR second_officer_id = ANY ($2::text[]))
    AND state IN ('taken', 'arranged')
ORDER BY force_id, id FOR UPDATE;

-- release_follow_ups_of_officers
-- Open follow-ups of officers who are off go to a coordinator.
UPDATE follow_up SET officer_id = NULL
WHERE force_id = $1 AND officer_id = ANY ($2::text[]) AND completed_at IS NULL;

-- is_switched_off
-- Whether somebody may not use this service any more: off on the register, or at the identity provider.
SELECT EXISTS (SELECT FROM officer WHERE force_id = $1 AND id = $2 AND NOT active)
    OR EXISTS (SELECT FROM scim_user WHERE force_id = $1 AND subject = $2 HAVING bool_and(NOT active));
