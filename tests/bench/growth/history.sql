-- id7
-- An id that says its week, the same for the same seed.
CREATE FUNCTION pg_temp.id7(at timestamptz, seed text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(seed), 1, 3) || '8'
            || substr(md5(seed), 4, 15))::uuid
$$;

-- id4
-- An id that says nothing, the same for the same seed.
CREATE FUNCTION pg_temp.id4(seed text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (substr(md5(seed), 1, 12) || '4' || substr(md5(seed), 13, 3) || '9' || substr(md5(seed), 16, 15))::uuid
$$;

-- moment
-- When a walk was held: its share of the five years.
CREATE FUNCTION pg_temp.moment(n bigint, walks bigint, ends timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT ends - interval '5 years' * (1 - n::double precision / walks)
$$;

-- walks
-- The walks of one step, of all the walks before the end: a quarter of one force, the others of 42.
CREATE FUNCTION pg_temp.walks(first bigint, past bigint, walks bigint, ends timestamptz)
RETURNS TABLE (n bigint, force_id text, at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT n, CASE WHEN n % 4 = 0 THEN 'avon-and-somerset' ELSE 'force-' || n % 42 END, pg_temp.moment(n, walks, ends)
    FROM generate_series(first, past - 1) AS g (n)
$$;

-- raised
-- Their concerns: one a walk, or two.
CREATE FUNCTION pg_temp.raised(first bigint, past bigint, walks bigint, ends timestamptz)
RETURNS TABLE (n bigint, force_id text, at timestamptz, c integer) LANGUAGE sql STABLE AS $$
    SELECT w.n, w.force_id, w.at, c
    FROM pg_temp.walks(first, past, walks, ends) AS w CROSS JOIN generate_series(0, (w.n % 2)::integer) AS c
$$;

-- inbox_by_week
-- Nine events a walk over nine days, under ids that say when.
INSERT INTO inbox
SELECT force_id, pg_temp.id7(at + e * interval '1 day', 'e' || n || e), at + e * interval '1 day'
FROM pg_temp.walks($1, $2, $3, $4) CROSS JOIN generate_series(0, 8) AS e;

-- inbox_at_random
-- Her answers before the walk, under an id that says nothing.
INSERT INTO inbox SELECT force_id, pg_temp.id4('b' || n), at FROM pg_temp.walks($1, $2, $3, $4);

-- invitation
-- One a walk.
INSERT INTO invitation
SELECT force_id, pg_temp.id7(at, 'w' || n), 'after-walk', pg_temp.id4('i' || n), 'bs' || n % 16 + 1, 1,
       to_char(at, 'YYYY-MM'), at + interval '1 day'
FROM pg_temp.walks($1, $2, $3, $4);

-- concern
-- Concerns long done, and among them, as they came, the open ones nobody was asked about yet.
INSERT INTO concern
SELECT force_id, pg_temp.id7(at, 'c' || n || c) AS id, 'bs' || n % 16 + 1, 'badly-lit', at::date, false, at::date + 20,
       'done'
FROM pg_temp.raised($1, $2, $3, $4)
UNION ALL
SELECT 'avon-and-somerset', id, 'bs1', 'badly-lit', at::date, false, NULL, NULL
FROM open_concern WHERE at >= pg_temp.moment($1, $3, $4) AND at < pg_temp.moment($2, $3, $4)
ORDER BY id;

-- referral
-- One a concern.
INSERT INTO referral
SELECT force_id, pg_temp.id7(at, 'r' || n || c), pg_temp.id7(at, 'c' || n || c), 'bristol-city-council', 'done'
FROM pg_temp.raised($1, $2, $3, $4);

-- answers_before
-- Every woman's.
INSERT INTO answers
SELECT force_id, 'baseline', pg_temp.id4('p' || n), 1, to_char(at, 'YYYY-MM'), jsonb_build_object(
    'safe-after-dark', 'a-bit-unsafe', 'safe-by-day', 'fairly-safe', 'trust-listen', 'neither', 'trust-matters',
    'neither', 'trust-fair', 'tend-to-agree', 'trust-there', 'tend-to-disagree', 'good-job', 'fair')
FROM pg_temp.walks($1, $2, $3, $4);

-- answers_after
-- Those of three women in five.
INSERT INTO answers
SELECT force_id, 'after-walk', pg_temp.id4('p' || n), 1, to_char(at, 'YYYY-MM'), jsonb_build_object(
    'safe-after-dark', 'fairly-safe', 'safe-by-day', 'fairly-safe', 'trust-listen', 'tend-to-agree', 'trust-matters',
    'neither', 'trust-fair', 'tend-to-agree', 'trust-there', 'neither', 'good-job', 'good')
FROM pg_temp.walks($1, $2, $3, $4) WHERE n % 5 < 3;

-- flag
-- One woman in five was worried.
INSERT INTO flag
SELECT force_id, pg_temp.id4('f' || n), 'after-walk', '{contact-wanted}'::text[], 'soon', to_char(at, 'YYYY-MM'), true
FROM pg_temp.walks($1, $2, $3, $4) WHERE n % 5 = 0;

-- follow_up
-- She was called.
INSERT INTO follow_up
SELECT force_id, pg_temp.id7(at, 'u' || n), 'reached', true FROM pg_temp.walks($1, $2, $3, $4) WHERE n % 5 = 0;

-- outbox_key
-- The invitation's walk, and the answers received.
INSERT INTO outbox_key
SELECT force_id, 'feedback.v1', pg_temp.id7(at, 'w' || n), 1 FROM pg_temp.walks($1, $2, $3, $4)
UNION ALL
SELECT force_id, 'feedback.v1', pg_temp.id4('k' || n), 1 FROM pg_temp.walks($1, $2, $3, $4);

-- outbox_log
-- Two events a walk, published long ago.
INSERT INTO outbox_log
SELECT force_id, 2 * n + p, 'feedback.v1', pg_temp.id7(at, 'w' || n), 1, pg_temp.id7(at, 'o' || n || p),
       'uk.police.walkandtalk.survey-invited.v1', at, pg_temp.id7(at, 'x' || n), pg_temp.id7(at, 'y' || n),
       '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', NULL, convert_to(repeat('event ', 33), 'UTF8')
FROM pg_temp.walks($1, $2, $3, $4) CROSS JOIN generate_series(1, 2) AS p;
