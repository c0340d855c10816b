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

-- known_requests
-- Which of these requests have a walk already.
SELECT id FROM request WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- walks_of_requests
-- Which walk answers each of these requests.
SELECT id, walk_id FROM request WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- lock_walks
-- These walks, locked in one order, so that two deciding at the same time take turns and never wait for each other.
SELECT * FROM walk WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY force_id, id FOR UPDATE;

-- walks_by_id
-- These walks as they stand.
SELECT * FROM walk WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- requests_of_walks
-- The requests these walks answer, oldest first.
SELECT * FROM request WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY requested_at, id;

-- save_walks
-- Walks as they now are, new ones and changed ones alike.
INSERT INTO walk (
    force_id, id, state, latitude, longitude, requested_at, arrange_by, triage_reason, area_id, team_id,
    boundary_version, routed_by, distance_m, officer_id, officer_kind, starts_at, busy_until, meeting_place,
    started_at, ended_at, streetsafe_shown, cancel_reason, proposal
)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::float8[], $5::float8[], $6::timestamptz[], $7::timestamptz[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::float8[], $14::text[], $15::text[],
    $16::timestamptz[], $17::timestamptz[], $18::text[], $19::timestamptz[], $20::timestamptz[], $21::boolean[],
    $22::text[], $23::jsonb[]
)
ON CONFLICT (force_id, id) DO UPDATE SET
    latitude = excluded.latitude, longitude = excluded.longitude, proposal = excluded.proposal, state = excluded.state, triage_reason = excluded.triage_reason, area_id = excluded.area_id,
    team_id = excluded.team_id, boundary_version = excluded.boundary_version, routed_by = excluded.routed_by,
    distance_m = excluded.distance_m, officer_id = excluded.officer_id, officer_kind = excluded.officer_kind,
    starts_at = excluded.starts_at, busy_until = excluded.busy_until, meeting_place = excluded.meeting_place,
    started_at = excluded.started_at, ended_at = excluded.ended_at, streetsafe_shown = excluded.streetsafe_shown,
    cancel_reason = excluded.cancel_reason;

-- save_requests
-- Requests as they now are: she may change all of one but when she first made it.
INSERT INTO request (
    force_id, id, walk_id, requested_at, latitude, longitude, place_from_postcode, lives_or_works_here, reasons,
    availability, contact, group_walk_welcome, language, withdrawn_at, amended_at, route
)
SELECT
    force_id, id, walk_id, requested_at, latitude, longitude, place_from_postcode, lives_or_works_here,
    string_to_array(reasons, ' '), availability, contact, group_walk_welcome, language, withdrawn_at, amended_at, route
FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::float8[], $6::float8[], $7::boolean[], $8::boolean[],
    $9::text[], $10::jsonb[], $11::jsonb[], $12::boolean[], $13::text[], $14::timestamptz[], $15::timestamptz[],
    $16::jsonb[]
) AS given (
    force_id, id, walk_id, requested_at, latitude, longitude, place_from_postcode, lives_or_works_here, reasons,
    availability, contact, group_walk_welcome, language, withdrawn_at, amended_at, route
)
ON CONFLICT (force_id, id) DO UPDATE SET
    latitude = excluded.latitude, longitude = excluded.longitude, place_from_postcode = excluded.place_from_postcode,
    lives_or_works_here = excluded.lives_or_works_here, reasons = excluded.reasons,
    availability = excluded.availability, contact = excluded.contact,
    group_walk_welcome = excluded.group_walk_welcome, language = excluded.language,
    withdrawn_at = excluded.withdrawn_at, amended_at = excluded.amended_at, route = excluded.route;

-- queue_of_force
-- Walks of a force in a state, longest waiting first; none that the asking officer, or the officer's own team, is excluded from.
-- OFFSET 0 has requests looked up walk by walk: turned into a join, all requests of the force are read for a page.
SELECT w.* FROM walk w
WHERE w.force_id = $1 AND w.state = $2
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = w.force_id AND r.walk_id = w.id
            AND (r.contact -> 'excluded_officers' ? $3 OR r.contact -> 'excluded_teams' ? $4) OFFSET 0
    )
ORDER BY w.requested_at, w.id LIMIT $5 OFFSET $6;

-- queue_of_teams
-- The same of these teams: of each no more than the page can show, so that what lies behind it is never read.
SELECT w.* FROM unnest($3::text[]) AS t (team_id)
CROSS JOIN LATERAL (
    SELECT * FROM walk
    WHERE walk.force_id = $1 AND walk.state = $2 AND walk.team_id = t.team_id
        AND NOT EXISTS (
            SELECT FROM request r WHERE r.force_id = walk.force_id AND r.walk_id = walk.id
                AND (r.contact -> 'excluded_officers' ? $4 OR r.contact -> 'excluded_teams' ? $5) OFFSET 0
        )
    ORDER BY walk.requested_at, walk.id LIMIT $6::bigint + $7::bigint
) AS w
ORDER BY w.requested_at, w.id LIMIT $6::bigint OFFSET $7::bigint;

-- walks_of_officer
-- What an officer has in hand: arranged walks by time, then those still to arrange, longest waiting first.
SELECT w.* FROM walk w
WHERE w.force_id = $1 AND w.officer_id = $2 AND w.state IN ('taken', 'arranged')
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = w.force_id AND r.walk_id = w.id
            AND r.contact -> 'excluded_officers' ? $2 OFFSET 0
    )
ORDER BY w.starts_at NULLS LAST, w.requested_at, w.id LIMIT $3;

-- lock_officers
-- Officers' entries, locked in one order: two arrangements of one officer take turns rather than wait for each other.
SELECT id FROM officer WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY force_id, id FOR NO KEY UPDATE;

-- walks_arranged_at
-- Which of these walks cannot be held at these times: their officer has another arranged walk that overlaps.
SELECT DISTINCT wanted.walk_id FROM walk w, unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])
    AS wanted (force_id, officer_id, walk_id, starts_at, busy_until)
WHERE w.force_id = wanted.force_id AND w.officer_id = wanted.officer_id AND w.state = 'arranged'
    AND w.id <> wanted.walk_id
    AND tstzrange(w.starts_at, w.busy_until) && tstzrange(wanted.starts_at, wanted.busy_until);

-- save_concerns
-- Concerns raised on walks.
INSERT INTO concern (
    force_id, id, walk_id, category, latitude, longitude, place_name, time_of_day, severity, words, raised_on
)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::float8[], $6::float8[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::date[]
);

-- concerns_of_walks
-- The concerns raised on these walks, in the order they were recorded.
SELECT * FROM concern WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) ORDER BY id;

-- known_concerns
-- Which of these concerns were raised here.
SELECT id FROM concern WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- save_referrals
-- What partners last said; the day a reply was due by stays as the referral first told it.
INSERT INTO referral AS r (
    force_id, id, concern_id, partner_id, partner_name, state, told_at, words, respond_by, planned_for
)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
    $9::date[], $10::date[]
)
ON CONFLICT (force_id, id) DO UPDATE SET
    partner_name = excluded.partner_name, state = excluded.state, told_at = excluded.told_at,
    words = coalesce(excluded.words, r.words), respond_by = coalesce(excluded.respond_by, r.respond_by),
    planned_for = coalesce(excluded.planned_for, r.planned_for);

-- referrals_of_walks
-- What partners said about the concerns of these walks.
SELECT r.* FROM referral r JOIN concern c ON c.force_id = r.force_id AND c.id = r.concern_id
WHERE (c.force_id, c.walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) ORDER BY r.id;

-- save_follow_ups
-- Follow-ups as they now are; a contact that was wanted once is not followed up twice.
INSERT INTO follow_up (
    force_id, id, kind, urgency, opened_at, due_at, request_id, contact_id, walk_id, officer_id, reasons, overdue_at,
    completed_at, completed_by, outcome
)
SELECT
    force_id, id, kind, urgency, opened_at, due_at, request_id, contact_id, walk_id, officer_id,
    string_to_array(reasons, ' '), overdue_at, completed_at, completed_by, outcome
FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::uuid[], $8::uuid[],
    $9::uuid[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::text[], $15::text[]
) AS given (
    force_id, id, kind, urgency, opened_at, due_at, request_id, contact_id, walk_id, officer_id, reasons, overdue_at,
    completed_at, completed_by, outcome
)
ON CONFLICT (force_id, id) DO UPDATE SET
    officer_id = excluded.officer_id, overdue_at = excluded.overdue_at, completed_at = excluded.completed_at,
    completed_by = excluded.completed_by, outcome = excluded.outcome;

-- known_contacts
-- Which of these wanted contacts have a follow-up already.
SELECT contact_id FROM follow_up WHERE (force_id, contact_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- lock_follow_ups
-- These follow-ups, locked in one order.
SELECT * FROM follow_up WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY force_id, id FOR UPDATE;

-- follow_ups_by_id
-- These follow-ups as they stand.
SELECT * FROM follow_up WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- follow_ups_of_force
-- Follow-ups of a force, open or completed, none of a woman who excludes whoever asks; what is due first, and so overdue, first.
SELECT f.* FROM follow_up f
WHERE f.force_id = $1 AND (f.completed_at IS NULL) = $2
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = f.force_id AND r.id = f.request_id
            AND r.contact -> 'excluded_officers' ? $3 OFFSET 0
    )
ORDER BY f.due_at, f.id LIMIT $4 OFFSET $5;

-- follow_ups_of_officer
-- The same of one officer.
SELECT f.* FROM follow_up f
WHERE f.force_id = $1 AND f.officer_id = $6 AND (f.completed_at IS NULL) = $2
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = f.force_id AND r.id = f.request_id
            AND r.contact -> 'excluded_officers' ? $3 OFFSET 0
    )
ORDER BY f.due_at, f.id LIMIT $4 OFFSET $5;

-- follow_ups_of_walks
-- The follow-ups of these walks.
SELECT * FROM follow_up WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) ORDER BY due_at, id;

-- release_follow_ups
-- Open follow-ups of these walks go to a coordinator where the woman they are about now excludes their officer or team.
UPDATE follow_up f SET officer_id = NULL
FROM request r, walk w
WHERE (f.force_id, f.walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
    AND f.completed_at IS NULL AND f.officer_id IS NOT NULL
    AND r.force_id = f.force_id AND r.id = f.request_id AND w.force_id = f.force_id AND w.id = f.walk_id
    AND (r.contact -> 'excluded_officers' ? f.officer_id OR r.contact -> 'excluded_teams' ? w.team_id);

-- mark_overdue
-- Open follow-ups that have passed their day.
UPDATE follow_up SET overdue_at = $3
WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
    AND completed_at IS NULL AND overdue_at IS NULL;

-- walks_by_state
-- How many walks that are not over stand where; for metrics. Those that are over are never looked at again for this.
SELECT force_id, state, count(*) AS many FROM walk
WHERE state IN ('triage', 'routed', 'taken', 'arranged') GROUP BY force_id, state;

-- walks_late
-- How many walks have passed the day they were to be arranged by; for metrics.
SELECT force_id, count(*) AS many FROM walk
WHERE state IN ('triage', 'routed', 'taken') AND arrange_by < $1 GROUP BY force_id;

-- follow_ups_waiting
-- How many follow-ups are open and how many of those overdue; for metrics.
SELECT force_id, count(*) AS open, count(*) FILTER (WHERE due_at < $1) AS overdue
FROM follow_up WHERE completed_at IS NULL GROUP BY force_id;

-- work_waiting
-- What waits in a force, for the first page: in triage, to be taken (of these teams where given), follow-ups overdue.
SELECT
    (SELECT count(*) FROM walk WHERE force_id = $1 AND state = 'triage') AS triage,
    (SELECT count(*) FROM walk WHERE force_id = $1 AND state = 'routed') AS routed,
    (SELECT count(*) FROM follow_up WHERE force_id = $1 AND completed_at IS NULL) AS open,
    (SELECT count(*) FROM follow_up WHERE force_id = $1 AND completed_at IS NULL AND due_at < $2) AS overdue;

-- erase_requests
-- Of these requests the counts stay; the place is brought to about ten kilometres, coarser than any area of ours.
UPDATE request SET
    latitude = round(latitude::numeric, 1), longitude = round(longitude::numeric, 1), place_from_postcode = false,
    route = NULL, lives_or_works_here = false, reasons = '{}', availability = '{"days": [], "parts": []}',
    contact = '{"channels": [], "times": [], "stopped": true}', group_walk_welcome = false, language = 'en',
    requested_at = date_trunc('month', requested_at, 'Europe/London'),
    withdrawn_at = date_trunc('month', withdrawn_at, 'Europe/London')
WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- drop_open_contacts
-- Calls and visits to whom nobody may call any more.
DELETE FROM follow_up
WHERE (force_id, request_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND completed_at IS NULL
RETURNING force_id, id;

-- erase_walks
-- Walks of which no woman is left: where and when they were asked for, and where to meet, go the way of their requests.
UPDATE walk SET
    latitude = round(latitude::numeric, 1), longitude = round(longitude::numeric, 1), distance_m = NULL,
    requested_at = date_trunc('month', requested_at, 'Europe/London'), meeting_place = NULL, proposal = NULL
WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- erase_concerns
-- The words of the concerns of these walks, and the names of their places; whose there were any.
UPDATE concern SET words = NULL, place_name = NULL
WHERE (force_id, walk_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND num_nonnulls(words, place_name) > 0
RETURNING force_id, id;
