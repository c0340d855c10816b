-- lock_walks
-- These walks, locked in one order, so that two deciding at the same time take turns and never wait for each other.
SELECT * FROM walk WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY force_id, id FOR UPDATE;

-- walks_by_id
-- These walks as they stand.
SELECT * FROM walk WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- save_walks
-- Walks as they now are, new ones and changed ones alike.
INSERT INTO walk (
    force_id, id, state, latitude, longitude, requested_at, arrange_by, triage_reason, area_id, team_id,
    boundary_version, routed_by, distance_m, officer_id, officer_kind, starts_at, busy_until, meeting_place,
    started_at, ended_at, streetsafe_shown, cancel_reason, proposal, second_officer_id, not_held, check_in_at
)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::float8[], $5::float8[], $6::timestamptz[], $7::timestamptz[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::float8[], $14::text[], $15::text[],
    $16::timestamptz[], $17::timestamptz[], $18::text[], $19::timestamptz[], $20::timestamptz[], $21::boolean[],
    $22::text[], $23::jsonb[], $24::text[], $25::jsonb[], $26::timestamptz[]
)
ON CONFLICT (force_id, id) DO UPDATE SET
    latitude = excluded.latitude, longitude = excluded.longitude, proposal = excluded.proposal, state = excluded.state, triage_reason = excluded.triage_reason, area_id = excluded.area_id,
    team_id = excluded.team_id, boundary_version = excluded.boundary_version, routed_by = excluded.routed_by,
    distance_m = excluded.distance_m, officer_id = excluded.officer_id, officer_kind = excluded.officer_kind,
    starts_at = excluded.starts_at, busy_until = excluded.busy_until, meeting_place = excluded.meeting_place,
    started_at = excluded.started_at, ended_at = excluded.ended_at, streetsafe_shown = excluded.streetsafe_shown,
    cancel_reason = excluded.cancel_reason, second_officer_id = excluded.second_officer_id,
    not_held = excluded.not_held, check_in_at = excluded.check_in_at;

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

-- walks_with_officer
-- What an officer has in hand or comes along to: arranged walks by time, then those still to arrange.
SELECT w.* FROM walk w
WHERE w.force_id = $1 AND (w.officer_id = $2 OR w.second_officer_id = $2) AND w.state IN ('taken', 'arranged')
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = w.force_id AND r.walk_id = w.id
            AND r.contact -> 'excluded_officers' ? $2 OFFSET 0
    )
ORDER BY w.starts_at NULLS LAST, w.requested_at, w.id LIMIT $3;

-- walks_of_officer
-- What an officer has in hand: arranged walks by time, then those still to arrange, longest waiting first.
SELECT w.* FROM walk w
WHERE w.force_id = $1 AND w.officer_id = $2 AND w.state IN ('taken', 'arranged')
    AND NOT EXISTS (
        SELECT FROM request r WHERE r.force_id = w.force_id AND r.walk_id = w.id
            AND r.contact -> 'excluded_officers' ? $2 OFFSET 0
    )
ORDER BY w.starts_at NULLS LAST, w.requested_at, w.id LIMIT $3;
