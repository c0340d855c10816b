-- register_version
-- Which policy version the register of each of these forces was taken from.
SELECT force_id, version FROM register WHERE force_id = ANY ($1::text[]);

-- save_register_version
-- The register is now that of this version; an older one than stands here changes nothing.
INSERT INTO register AS r (force_id, version) VALUES ($1, $2)
ON CONFLICT (force_id) DO UPDATE SET version = excluded.version WHERE r.version <= excluded.version
RETURNING version;

-- save_partners
-- A force's partners as its policy has them.
INSERT INTO partner (force_id, id, name, kind, email, agreed_on, coverage, active)
SELECT $1, i.id, i.name, i.kind, i.email, i.agreed_on, i.coverage::jsonb, true
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[])
    AS i (id, name, kind, email, agreed_on, coverage)
ON CONFLICT (force_id, id) DO UPDATE
SET name = excluded.name, kind = excluded.kind, email = excluded.email, agreed_on = excluded.agreed_on,
    coverage = excluded.coverage, active = true;

-- end_agreements
-- Partners the policy no longer has are kept for the referrals they were asked about, and asked no more.
UPDATE partner SET active = false WHERE force_id = $1 AND active AND id <> ALL ($2::text[]);

-- partners
-- Everybody these forces have an agreement with.
SELECT force_id, id, name, kind, email, agreed_on, coverage FROM partner
WHERE force_id = ANY ($1::text[]) AND active
ORDER BY force_id, id;

-- save_areas
-- Areas by name; the last published holds.
INSERT INTO area (force_id, id, name, team_id, team_name)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
ON CONFLICT (force_id, id) DO UPDATE
SET name = excluded.name, team_id = excluded.team_id, team_name = excluded.team_name;

-- around_concerns
-- What is known around concerns just raised: the name of the area, and whether the concern stands here already.
SELECT i.force_id, i.concern_id,
       (SELECT a.name FROM area AS a WHERE a.force_id = i.force_id AND a.id = i.area_id) AS area_name,
       (SELECT true FROM concern AS c WHERE c.force_id = i.force_id AND c.id = i.concern_id) IS NOT NULL AS known
FROM unnest($1::text[], $2::uuid[], $3::text[]) AS i (force_id, concern_id, area_id);

-- save_concerns
-- New concerns.
INSERT INTO concern (
    force_id, id, state, triage_reason, area_id, category, latitude, longitude, place_name, time_of_day, severity,
    words, raised_on, received_at
)
SELECT i.force_id, i.id, i.state, i.triage_reason, i.area_id, i.category, i.latitude, i.longitude, i.place_name,
       i.time_of_day, i.severity, i.words, i.raised_on, $14
FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::double precision[],
    $8::double precision[], $9::text[], $10::text[], $11::text[], $12::text[], $13::date[]
) AS i (
    force_id, id, state, triage_reason, area_id, category, latitude, longitude, place_name, time_of_day, severity,
    words, raised_on
);

-- save_tombstones
-- Concerns withdrawn before they were raised: when they come, nobody is asked.
INSERT INTO concern (force_id, id, state, received_at)
SELECT i.force_id, i.id, 'withdrawn', $3 FROM unnest($1::text[], $2::uuid[]) AS i (force_id, id)
ON CONFLICT (force_id, id) DO NOTHING;

-- change_concerns
-- Concerns that went on: to another partner, to triage, to their end.
UPDATE concern AS c SET state = i.state, triage_reason = i.triage_reason, words = i.words, place_name = i.place_name
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS i (force_id, id, state, triage_reason, words, place_name)
WHERE c.force_id = i.force_id AND c.id = i.id;

-- save_referrals
-- New referrals.
INSERT INTO referral (
    force_id, id, reference, concern_id, partner_id, state, made_at, respond_by, changed_at
)
SELECT i.force_id, i.id, i.reference, i.concern_id, i.partner_id, 'made', i.made_at, i.respond_by, i.made_at
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[])
    AS i (force_id, id, reference, concern_id, partner_id, made_at, respond_by);

-- change_referrals
-- What became of referrals.
UPDATE referral AS r
SET state = i.state, overdue = i.overdue, progress = i.progress, words = i.words, planned_for = i.planned_for,
    reason = i.reason, resolution = i.resolution, changed_at = $10
FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::date[], $8::text[], $9::text[]
) AS i (force_id, id, state, overdue, progress, words, planned_for, reason, resolution)
WHERE r.force_id = i.force_id AND r.id = i.id;

-- save_changes
-- Lines of history.
INSERT INTO referral_change (force_id, referral_id, at, by, status, progress, words, planned_for)
SELECT i.force_id, i.referral_id, $1, i.by, i.status, i.progress, i.words, i.planned_for
FROM unnest($2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[])
    WITH ORDINALITY AS i (force_id, referral_id, by, status, progress, words, planned_for, ordinal)
ORDER BY i.ordinal;

-- save_deliveries
-- What is to be sent to partners that can be written to; the same thing of the same referral once.
INSERT INTO delivery (force_id, id, referral_id, kind, channel, made_at)
SELECT i.force_id, i.id, i.referral_id, i.kind, 'email', $6
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])
    AS i (force_id, id, referral_id, partner_id, kind)
JOIN partner AS p ON p.force_id = i.force_id AND p.id = i.partner_id AND p.email IS NOT NULL
ON CONFLICT (referral_id, kind, channel, force_id) DO NOTHING
RETURNING force_id, id;

-- deliveries_of
-- What was to be sent about these referrals. Looked up one by one, as below: joined freely, a planner without
-- statistics begins with every row of the force.
SELECT i.force_id, d.id
FROM unnest($1::text[], $2::uuid[]) AS i (force_id, referral_id)
CROSS JOIN LATERAL (
    SELECT id FROM delivery WHERE force_id = i.force_id AND referral_id = i.referral_id OFFSET 0
) AS d;

-- concerns_of_references
-- Which concerns these references belong to.
SELECT i.force_id, i.reference, r.concern_id
FROM unnest($1::text[], $2::uuid[]) AS i (force_id, reference)
CROSS JOIN LATERAL (
    SELECT concern_id FROM referral WHERE force_id = i.force_id AND reference = i.reference OFFSET 0
) AS r;

-- lock_concerns
-- Concerns to decide on, locked in the order they are named in, so that no two wait for each other.
SELECT c.force_id, c.id AS concern_id, c.state AS concern_state, c.triage_reason, c.area_id,
       (SELECT a.name FROM area AS a WHERE a.force_id = c.force_id AND a.id = c.area_id) AS area_name,
       c.category, c.latitude, c.longitude, c.place_name, c.time_of_day, c.severity, c.words AS concern_words,
       c.raised_on
FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS i (force_id, id, ordinal)
CROSS JOIN LATERAL (SELECT * FROM concern WHERE force_id = i.force_id AND id = i.id OFFSET 0 FOR UPDATE) AS c
ORDER BY i.ordinal;

-- referrals_of
-- Everybody asked about these concerns, in the order they were asked.
SELECT r.force_id, r.concern_id, r.id, r.reference, r.partner_id,
       (SELECT p.name FROM partner AS p WHERE p.force_id = r.force_id AND p.id = r.partner_id) AS partner_name,
       r.state, r.made_at, r.respond_by, r.overdue, r.progress, r.words, r.planned_for, r.reason, r.resolution
FROM unnest($1::text[], $2::uuid[]) AS i (force_id, concern_id)
CROSS JOIN LATERAL (
    SELECT * FROM referral WHERE force_id = i.force_id AND concern_id = i.concern_id OFFSET 0
) AS r
ORDER BY r.force_id, r.concern_id, r.made_at, r.id;

-- lock_referrals
-- Referrals whose time is up, locked in the order they are named in.
SELECT r.force_id, r.concern_id, r.id, r.reference, r.partner_id,
       (SELECT p.name FROM partner AS p WHERE p.force_id = r.force_id AND p.id = r.partner_id) AS partner_name,
       r.state, r.made_at, r.respond_by, r.overdue, r.progress, r.words, r.planned_for, r.reason, r.resolution
FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS i (force_id, id, ordinal)
CROSS JOIN LATERAL (SELECT * FROM referral WHERE force_id = i.force_id AND id = i.id OFFSET 0 FOR UPDATE) AS r
ORDER BY i.ordinal;

-- referrals_of_force
-- A page of the referrals of a force: what is open first, overdue before that, then by deadline. Of each state no more
-- is read than the page can show.
SELECT r.reference, r.concern_id, r.partner_id,
       (SELECT p.name FROM partner AS p WHERE p.force_id = r.force_id AND p.id = r.partner_id) AS partner_name,
       r.state, r.made_at, r.respond_by, r.overdue, r.progress, c.category, c.severity,
       (SELECT a.name FROM area AS a WHERE a.force_id = r.force_id AND a.id = c.area_id) AS area_name
FROM (
    SELECT r.* FROM unnest($2::text[]) AS s (state)
    CROSS JOIN LATERAL (
        SELECT * FROM referral
        WHERE force_id = $1 AND referral.state = s.state
        ORDER BY overdue DESC, respond_by, reference LIMIT $3::bigint + $4::bigint
    ) AS r
    ORDER BY r.state IN ('made', 'accepted') DESC, r.overdue DESC, r.respond_by, r.reference
    LIMIT $3::bigint OFFSET $4::bigint
) AS r
CROSS JOIN LATERAL (
    SELECT category, severity, area_id FROM concern WHERE force_id = r.force_id AND id = r.concern_id OFFSET 0
) AS c
ORDER BY r.state IN ('made', 'accepted') DESC, r.overdue DESC, r.respond_by, r.reference;

-- referrals_of_partner
-- The same of one partner.
SELECT r.reference, r.concern_id, r.partner_id,
       (SELECT p.name FROM partner AS p WHERE p.force_id = r.force_id AND p.id = r.partner_id) AS partner_name,
       r.state, r.made_at, r.respond_by, r.overdue, r.progress, c.category, c.severity,
       (SELECT a.name FROM area AS a WHERE a.force_id = r.force_id AND a.id = c.area_id) AS area_name
FROM (
    SELECT r.* FROM unnest($2::text[]) AS s (state)
    CROSS JOIN LATERAL (
        SELECT * FROM referral
        WHERE force_id = $1 AND referral.state = s.state AND partner_id = $5
        ORDER BY overdue DESC, respond_by, reference LIMIT $3::bigint + $4::bigint
    ) AS r
    ORDER BY r.state IN ('made', 'accepted') DESC, r.overdue DESC, r.respond_by, r.reference
    LIMIT $3::bigint OFFSET $4::bigint
) AS r
CROSS JOIN LATERAL (
    SELECT category, severity, area_id FROM concern WHERE force_id = r.force_id AND id = r.concern_id OFFSET 0
) AS c
ORDER BY r.state IN ('made', 'accepted') DESC, r.overdue DESC, r.respond_by, r.reference;

-- referral_page
-- One referral with what the partner may know of the concern.
SELECT r.id, r.reference, r.partner_id,
       (SELECT p.name FROM partner AS p WHERE p.force_id = r.force_id AND p.id = r.partner_id) AS partner_name,
       r.state, r.made_at, r.respond_by, r.overdue, r.progress, r.words, r.planned_for, r.reason, r.resolution,
       c.force_id, c.id AS concern_id, c.state AS concern_state, c.triage_reason, c.area_id,
       (SELECT a.name FROM area AS a WHERE a.force_id = c.force_id AND a.id = c.area_id) AS area_name,
       c.category, c.latitude, c.longitude, c.place_name, c.time_of_day, c.severity, c.words AS concern_words,
       c.raised_on
FROM (SELECT * FROM referral WHERE reference = $1 AND ($2::text IS NULL OR partner_id = $2) OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT * FROM concern WHERE force_id = r.force_id AND id = r.concern_id OFFSET 0) AS c;

-- history
-- What was said of a referral, oldest first.
SELECT at, by, status, progress, words, planned_for FROM referral_change WHERE referral_id = $1 ORDER BY id;

-- deliveries
-- What was sent to the partner about a referral, and what became of it.
SELECT d.kind, d.channel, s.state, s.ended_at, s.fault
FROM (SELECT * FROM delivery WHERE referral_id = $1 OFFSET 0) AS d
CROSS JOIN LATERAL (SELECT * FROM sending WHERE force_id = d.force_id AND id = d.id OFFSET 0) AS s
ORDER BY d.made_at, d.id;

-- triage
-- A page of concerns that wait for somebody to choose a partner, longest waiting first.
SELECT c.force_id, c.id AS concern_id, c.state AS concern_state, c.triage_reason, c.area_id,
       (SELECT a.name FROM area AS a WHERE a.force_id = c.force_id AND a.id = c.area_id) AS area_name,
       c.category, c.latitude, c.longitude, c.place_name, c.time_of_day, c.severity, c.words AS concern_words,
       c.raised_on,
       c.received_at,
       ARRAY(
           SELECT r.partner_id FROM referral AS r WHERE r.force_id = c.force_id AND r.concern_id = c.id
       ) AS asked
FROM (SELECT * FROM concern WHERE state = 'triage' ORDER BY received_at, id LIMIT $1 OFFSET $2) AS c
ORDER BY c.received_at, c.id;

-- letter
-- All that an e-mail to a partner says.
SELECT d.kind, d.made_at, r.reference, r.state, r.respond_by, p.name AS partner_name, p.email,
       c.force_id, c.id AS concern_id, c.state AS concern_state, c.triage_reason, c.area_id,
       (SELECT a.name FROM area AS a WHERE a.force_id = c.force_id AND a.id = c.area_id) AS area_name,
       c.category, c.latitude, c.longitude, c.place_name, c.time_of_day, c.severity, c.words AS concern_words,
       c.raised_on
FROM (SELECT * FROM delivery WHERE id = $1 OFFSET 0) AS d
CROSS JOIN LATERAL (SELECT * FROM referral WHERE force_id = d.force_id AND id = d.referral_id OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT * FROM partner WHERE force_id = r.force_id AND id = r.partner_id OFFSET 0) AS p
CROSS JOIN LATERAL (SELECT * FROM concern WHERE force_id = r.force_id AND id = r.concern_id OFFSET 0) AS c;

-- count_referrals
-- Open referrals by state, overdue ones apart, for metrics. Those that are over are never looked at again for this.
SELECT CASE WHEN overdue THEN 'overdue' ELSE state END AS state, count(*) AS many FROM referral
WHERE state IN ('made', 'accepted') GROUP BY 1;

-- count_triage
-- Concerns that wait for somebody to choose a partner, for metrics.
SELECT count(*) FROM concern WHERE state = 'triage';

-- count_deliveries
-- What is still to be sent to partners, and what could not be, for metrics.
SELECT channel, 'due' AS state, count(*) AS many FROM sending WHERE state = 'due' GROUP BY channel
UNION ALL
SELECT channel, 'failed', count(*) FROM sending WHERE state = 'failed' GROUP BY channel;
