-- save_patrols
-- Patrols as they now are: from when on one is taken back nothing of what was heard is left.
INSERT INTO patrol (
    force_id, id, area_id, team_id, kind, starts_at, ends_at, places, conversations, heard, logged_at, logged_by,
    replaces, withdrawn_at, withdrawn_by
)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::jsonb[],
    $9::integer[], $10::text[], $11::timestamptz[], $12::text[], $13::uuid[], $14::timestamptz[], $15::text[]
)
ON CONFLICT (force_id, id) DO UPDATE SET
    heard = excluded.heard, withdrawn_at = excluded.withdrawn_at, withdrawn_by = excluded.withdrawn_by;

-- save_concerns_of_patrols
-- Because of which concerns they were there.
INSERT INTO patrol_concern (force_id, patrol_id, concern_id)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[])
ON CONFLICT DO NOTHING;

-- patrols_by_id
-- These patrols as they stand.
SELECT
    p.*,
    ARRAY(
        SELECT c.concern_id FROM patrol_concern AS c WHERE c.force_id = p.force_id AND c.patrol_id = p.id ORDER BY 1
    ) AS concern_ids
FROM patrol AS p WHERE (p.force_id, p.id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- lock_patrols
-- The same, locked in one order.
SELECT
    p.*,
    ARRAY(
        SELECT c.concern_id FROM patrol_concern AS c WHERE c.force_id = p.force_id AND c.patrol_id = p.id ORDER BY 1
    ) AS concern_ids
FROM patrol AS p WHERE (p.force_id, p.id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
ORDER BY p.force_id, p.id FOR UPDATE;

-- patrols_of_force
-- What was logged in a force and stands, the latest first; without what was heard.
SELECT
    p.force_id, p.id, p.area_id, p.team_id, p.kind, p.starts_at, p.ends_at, p.places, p.conversations,
    NULL::text AS heard, p.logged_at, p.logged_by, p.replaces, p.withdrawn_at, p.withdrawn_by,
    '{}'::uuid[] AS concern_ids
FROM patrol AS p
WHERE p.force_id = $1 AND p.withdrawn_at IS NULL
ORDER BY p.starts_at DESC, p.id LIMIT $2 OFFSET $3;

-- patrols_of_teams
-- The same of these teams: of each no more than the page can show.
SELECT
    p.force_id, p.id, p.area_id, p.team_id, p.kind, p.starts_at, p.ends_at, p.places, p.conversations,
    NULL::text AS heard, p.logged_at, p.logged_by, p.replaces, p.withdrawn_at, p.withdrawn_by,
    '{}'::uuid[] AS concern_ids
FROM unnest($2::text[]) AS t (team_id)
CROSS JOIN LATERAL (
    SELECT * FROM patrol
    WHERE patrol.force_id = $1 AND patrol.team_id = t.team_id AND patrol.withdrawn_at IS NULL
    ORDER BY patrol.starts_at DESC, patrol.id LIMIT $3::bigint + $4::bigint
) AS p
ORDER BY p.starts_at DESC, p.id LIMIT $3::bigint OFFSET $4::bigint;

-- patrols_wanted
-- Concerns of walks that were held because of which a patrol is wanted: by who noted them, or because the police's own
-- patrols ($3) were asked as a partner. Of these teams where given; none of a woman who excludes whoever asks, or their
-- team; where somebody has been least, and longest ago, first.
SELECT
    c.id, w.area_id, w.team_id, c.category, c.latitude, c.longitude, c.place_name, c.time_of_day, c.severity,
    c.wanted_at, coalesce(p.many, 0) AS patrols, p.last_at
FROM (
    SELECT force_id, id, walk_id, category, latitude, longitude, place_name, time_of_day, severity, noted_at AS wanted_at
    FROM noted_concern WHERE force_id = $1 AND patrol_wanted AND category IS NOT NULL
    UNION ALL
    SELECT
        o.force_id, o.id, o.walk_id, o.category, o.latitude, o.longitude, o.place_name, o.time_of_day, o.severity,
        r.told_at
    FROM referral AS r JOIN concern AS o ON o.force_id = r.force_id AND o.id = r.concern_id
    WHERE r.force_id = $1 AND r.partner_id = ANY ($3::text[]) AND o.withdrawn_at IS NULL
        AND r.state IN ('made', 'accepted', 'investigating', 'planned', 'partly-done', 'monitoring')
        AND NOT EXISTS (
            SELECT FROM noted_concern AS n WHERE n.force_id = o.force_id AND n.id = o.id AND n.patrol_wanted
        )
) AS c
JOIN walk AS w ON w.force_id = c.force_id AND w.id = c.walk_id AND w.state = 'completed'
LEFT JOIN LATERAL (
    SELECT count(*) AS many, max(d.starts_at) AS last_at
    FROM patrol_concern AS k JOIN patrol AS d ON d.force_id = k.force_id AND d.id = k.patrol_id
    WHERE k.force_id = c.force_id AND k.concern_id = c.id AND d.withdrawn_at IS NULL
) AS p ON true
WHERE ($2::text[] IS NULL OR w.team_id = ANY ($2::text[]))
    AND NOT EXISTS (SELECT FROM patrol_enough AS e WHERE e.force_id = c.force_id AND e.concern_id = c.id)
    AND NOT EXISTS (
        SELECT FROM request AS r WHERE r.force_id = w.force_id AND r.walk_id = w.id
            AND (r.contact -> 'excluded_officers' ? $4 OR r.contact -> 'excluded_teams' ? $5) OFFSET 0
    )
ORDER BY patrols, p.last_at NULLS FIRST, c.wanted_at, c.id LIMIT $6 OFFSET $7;

-- say_enough
-- Patrols are not wanted there any more.
INSERT INTO patrol_enough (force_id, concern_id, said_at, said_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- retention_patrol_words
-- What was heard on patrols that ended before this.
SELECT id, ends_at AS since, NULL::text AS kept FROM patrol
WHERE force_id = $1 AND heard IS NOT NULL AND ends_at < $2

-- empty_heard
-- What was heard on these patrols is not kept any more; that there were patrols is.
UPDATE patrol SET heard = NULL WHERE force_id = $1 AND id = ANY ($2::uuid[]);
