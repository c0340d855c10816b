-- id7
-- An id of a walk and what belongs to it, the same for the same seed.
CREATE FUNCTION id7(at timestamptz, seed text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(seed), 1, 3) || '8'
            || substr(md5(seed), 4, 15))::uuid
$$;

-- id4
-- An id that says nothing, the same for the same seed.
CREATE FUNCTION id4(seed text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (substr(md5(seed), 1, 12) || '4' || substr(md5(seed), 13, 3) || '9' || substr(md5(seed), 16, 15))::uuid
$$;

-- past
-- So many walks of five years, nine in ten of them held: what is open is the same share at every size.
CREATE FUNCTION past(walks bigint) RETURNS TABLE (n bigint, force_id text, at timestamptz, team text, state text)
LANGUAGE sql STABLE AS $$
    SELECT n, CASE WHEN n % 4 = 3 THEN 'avon-and-somerset' ELSE 'metropolitan' END,
           date_trunc('day', now()) - interval '5 years' * (1 - n::double precision / walks), 'ward-' || n % 680,
           CASE n % 25 WHEN 0 THEN 'routed' WHEN 1 THEN 'arranged' WHEN 2 THEN 'cancelled'
               WHEN 4 THEN CASE WHEN n % 2 = 0 THEN 'triage' ELSE 'taken' END ELSE 'completed' END
    FROM generate_series(0, walks - 1) AS g (n)
$$;

-- assignment_register
-- As many wards, and walking officers, as the largest force has.
WITH teams AS (
    INSERT INTO team SELECT f, 'ward-' || n, 'Ward ' || n
    FROM generate_series(0, 679) AS n, unnest('{metropolitan,avon-and-somerset}'::text[]) AS f
), areas AS (
    INSERT INTO area SELECT f, 'ward-' || n, 'Ward ' || n, 'ward-' || n, 'v1', true
    FROM generate_series(0, 679) AS n, unnest('{metropolitan,avon-and-somerset}'::text[]) AS f
)
INSERT INTO officer
SELECT 'metropolitan', 'pc-' || n, 'PC Number ' || n, 'officer', 'ward-' || n % 680, ARRAY['ward-' || n % 680],
       '2026-01-01'
FROM generate_series(0, 1999) AS n;

-- assignment_walks
-- The walks.
INSERT INTO walk
SELECT force_id, id7(at, 'w' || n), state, 51.5, -0.1, at, at + interval '5 days',
       CASE state WHEN 'triage' THEN 'outside-all-areas' END, CASE WHEN state <> 'triage' THEN team END,
       CASE WHEN state <> 'triage' THEN team END, 'v1', CASE WHEN state <> 'triage' THEN 'covers' END, 0,
       CASE WHEN state IN ('taken', 'arranged', 'completed') THEN 'pc-' || n % 2000 END, 'officer',
       at + n * interval '1 minute', at + (n + 60) * interval '1 minute', 'By the library',
       CASE state WHEN 'completed' THEN at END, CASE state WHEN 'completed' THEN at + interval '50 minutes' END, true,
       CASE state WHEN 'cancelled' THEN 'weather' END
FROM past($1);

-- assignment_requests
-- One a walk.
INSERT INTO request
SELECT force_id, id7(at, 'q' || n), id7(at, 'w' || n), at, 51.5, -0.1, true, true, '{badly-lit}',
       '{"days": ["monday", "friday"], "parts": ["evening"]}',
       '{"channels": ["email"], "excluded_officers": [], "excluded_teams": []}', false, 'en', NULL
FROM past($1);

-- assignment_concerns
-- One or two of every walk held.
INSERT INTO concern
SELECT force_id, id7(at, 'c' || n || c), id7(at, 'w' || n), 'badly-lit', 51.5, -0.1, 'The underpass', 'evening', 'high',
       repeat('The lamp by the underpass has been out for weeks. ', 4), at::date
FROM past($1) CROSS JOIN generate_series(0, (n % 2)::integer) AS c WHERE state = 'completed';

-- assignment_referrals
-- One a concern.
INSERT INTO referral
SELECT force_id, id7(at, 'r' || n || c), id7(at, 'c' || n || c), 'council-' || n % 40, 'Council ' || n % 40, 'done', at,
       'The lamp is lit again', at::date, NULL
FROM past($1) CROSS JOIN generate_series(0, (n % 2)::integer) AS c WHERE state = 'completed';

-- assignment_follow_ups
-- One walk in five, nine in ten of them done.
INSERT INTO follow_up
SELECT force_id, id4('f' || n), 'contact', 'soon', at, at + interval '5 days', id7(at, 'q' || n), id4('k' || n),
       id7(at, 'w' || n), 'pc-' || n % 2000, '{}', NULL, CASE WHEN n % 50 > 0 THEN at END,
       CASE WHEN n % 50 > 0 THEN 'pc-1' END, CASE WHEN n % 50 > 0 THEN 'reached' END
FROM past($1) WHERE n % 5 = 0;

-- partners_register
-- Forty partners, as many wards as the largest force has.
WITH partners AS (
    INSERT INTO partner
    SELECT f, 'council-' || n, 'Council ' || n, 'council', 'streets@council.example', '2026-01-01', '[]'::jsonb, true
    FROM generate_series(0, 39) AS n, unnest('{metropolitan,avon-and-somerset}'::text[]) AS f
)
INSERT INTO area SELECT f, 'ward-' || n, 'Ward ' || n, 'ward-' || n, 'Ward ' || n
FROM generate_series(0, 679) AS n, unnest('{metropolitan,avon-and-somerset}'::text[]) AS f;

-- partners_concerns
-- One or two of every walk; one in fifty waits for somebody to choose a partner.
INSERT INTO concern
SELECT force_id, id7(at, 'c' || n || c), CASE WHEN n % 50 = 7 THEN 'triage' WHEN n % 10 = 0 THEN 'referred'
       ELSE 'resolved' END, CASE WHEN n % 50 = 7 THEN 'not-covered' END, team, 'badly-lit', 51.5, -0.1, 'The underpass',
       'evening', 'high', repeat('The lamp by the underpass has been out for weeks. ', 4), at::date, at
FROM past($1) CROSS JOIN generate_series(0, (n % 2)::integer) AS c;

-- partners_referrals
-- One a concern that does not wait, nine in ten of them resolved.
INSERT INTO referral
SELECT force_id, id7(at, 'r' || n || c), id4('v' || n || c), id7(at, 'c' || n || c), 'council-' || n % 40,
       CASE WHEN n % 10 = 0 THEN 'made' ELSE 'resolved' END, at, at + interval '10 days', n % 10 = 0 AND c = 0, NULL,
       NULL, NULL, NULL, CASE WHEN n % 10 > 0 THEN 'done' END, at
FROM past($1) CROSS JOIN generate_series(0, (n % 2)::integer) AS c WHERE n % 50 <> 7;

-- partners_changes
-- Two lines of history each.
INSERT INTO referral_change (force_id, referral_id, at, by, status)
SELECT force_id, id, made_at, 'partner', 'updated' FROM referral UNION ALL
SELECT force_id, id, made_at, 'partner', 'accepted' FROM referral WHERE $1::bigint > 0;

-- partners_deliveries
-- An e-mail each.
INSERT INTO delivery SELECT force_id, id, id, 'referred', 'email', made_at FROM referral WHERE $1::bigint > 0;

-- partners_sendings
-- It was sent.
INSERT INTO sending (force_id, id, channel, state, due_at, tries, ended_at)
SELECT force_id, id, 'email', 'sent', made_at, 1, made_at FROM referral WHERE $1::bigint > 0;

-- feedback_invitations
-- One a walk held.
INSERT INTO invitation
SELECT force_id, id7(at, 'w' || n), 'after-walk', id4('i' || n), team, 1, to_char(at, 'YYYY-MM'), at
FROM past($1) WHERE state = 'completed';

-- feedback_answers
-- Every woman's before, three in five women's after.
INSERT INTO answers
SELECT force_id, survey, id4('p' || n), 1, to_char(at, 'YYYY-MM'), jsonb_build_object(
    'safe-after-dark', answer, 'safe-by-day', 'fairly-safe', 'trust-listen', 'neither', 'trust-matters', 'neither',
    'trust-fair', 'tend-to-agree', 'trust-there', 'tend-to-disagree', 'good-job', 'fair')
FROM past($1) CROSS JOIN (VALUES ('baseline', 'a-bit-unsafe', 5), ('after-walk', 'fairly-safe', 3)) AS s (survey, answer, of)
WHERE n % 5 < of;

-- feedback_concerns
-- One or two of every walk held.
INSERT INTO concern
SELECT force_id, id7(at, 'c' || n || c), team, 'badly-lit', at::date, false,
       CASE WHEN n % 10 > 0 THEN at::date + (n % 40)::integer END, CASE WHEN n % 10 > 0 THEN 'done' END
FROM past($1) CROSS JOIN generate_series(0, (n % 2)::integer) AS c WHERE state = 'completed';

-- feedback_referrals
-- One a concern.
INSERT INTO referral
SELECT force_id, id7(at, 'r' || n || c), id7(at, 'c' || n || c), 'council-' || n % 40, 'done'
FROM past($1) CROSS JOIN generate_series(0, (n % 2)::integer) AS c WHERE state = 'completed';

-- feedback_follow_ups
-- One walk in five.
INSERT INTO follow_up SELECT force_id, id4('f' || n), 'reached', true FROM past($1) WHERE n % 5 = 0;

-- intake_participants
-- One a walk; what is sealed is as long as it is sealed.
INSERT INTO participant
SELECT force_id, id4('a' || n), 'one', decode(repeat('00', 60), 'hex'), decode(repeat('00', 700), 'hex'), at
FROM past($1);

-- intake_requests
-- One a walk.
INSERT INTO walk_request
SELECT force_id, id7(at, 'q' || n), id4('a' || n), 'WT-' || n, 'completed', decode(repeat('00', 60), 'hex'),
       id7(at, 'w' || n), team, 'pc-' || n % 2000, at, NULL
FROM past($1);

-- intake_messages
-- Four a request.
INSERT INTO message
SELECT force_id, id4('m' || n || k), id7(at, 'q' || n), k, 'email', NULL, decode(repeat('00', 300), 'hex'), at
FROM past($1) CROSS JOIN unnest('{confirmation,arranged,survey,done}'::text[]) AS k;

-- intake_sendings
-- All of them sent.
INSERT INTO sending (force_id, id, channel, state, due_at, tries, ended_at)
SELECT force_id, id, 'email', 'sent', created_at, 1, created_at FROM message WHERE $1::bigint > 0;

-- a_walk
-- A walk in the middle of it all.
SELECT id7(at, 'w' || n) AS walk, id7(at, 'q' || n) AS request, id4('v' || n || '0') AS reference, id4('p' || n) AS pair
FROM past($1) WHERE n % 4 <> 3 AND n % 50 <> 7 AND state = 'completed' AND n >= $1 / 2 LIMIT 1;
