-- save_invitations
-- One invitation a walk and survey; a walk already asked about is not asked about again.
INSERT INTO invitation (force_id, walk_id, survey, id, area_id, women, month, send_from)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::integer[], $7::text[], $8::timestamptz[]
)
ON CONFLICT (force_id, walk_id, survey) DO NOTHING
RETURNING id;

-- save_answers
-- Answers of a pair id to a survey, the first ones given; says whose were the first.
INSERT INTO answers (force_id, survey, pair_id, version, month, answers)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::integer[], $5::text[], $6::jsonb[])
ON CONFLICT (force_id, survey, pair_id) DO NOTHING
RETURNING force_id, survey, pair_id;

-- save_equality
-- Equality answers, each on its own, written in no order that could tell which came together.
INSERT INTO equality_answer (force_id, id, month, question, answer)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[])
ORDER BY random()
ON CONFLICT (force_id, id) DO NOTHING;

-- is_answered
-- Whether a survey was finished under this pair id.
SELECT EXISTS (SELECT FROM answers WHERE force_id = $1 AND survey = $2 AND pair_id = $3);

-- mix_answers
-- Answers of a month and later written anew in random order, by one transaction; older ones had their last night.
WITH taken AS (DELETE FROM answers WHERE force_id = ANY ($1::text[]) AND month >= $2 RETURNING *)
INSERT INTO answers SELECT * FROM taken ORDER BY random();

-- draft
-- What was answered so far by this link.
SELECT answers FROM draft WHERE force_id = $1 AND id = $2;

-- keep_draft
-- One more answer of a survey that is not finished.
INSERT INTO draft AS d (force_id, id, month, answers) VALUES ($1, $2, $3, $4)
ON CONFLICT (force_id, id) DO UPDATE SET answers = d.answers || excluded.answers, month = excluded.month;

-- leave_out_of_draft
-- An answer taken back.
UPDATE draft SET answers = answers - $3::text WHERE force_id = $1 AND id = $2;

-- forget_drafts
-- Surveys that are finished now.
DELETE FROM draft WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::bytea[]));

-- forget_old_drafts
-- Surveys begun long ago and never finished.
DELETE FROM draft WHERE month < $1;

-- save_flags
-- Worrying answers, without the answers.
INSERT INTO flag (force_id, id, survey, reasons, urgency, month, has_contact)
SELECT i.force_id, i.id, i.survey, string_to_array(i.reasons, ' '), i.urgency, i.month, i.has_contact
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[])
    AS i (force_id, id, survey, reasons, urgency, month, has_contact);

-- save_areas
-- The name of an area as it is now.
INSERT INTO area (force_id, area_id, name)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (force_id, area_id) DO UPDATE SET name = excluded.name;

-- save_concerns
-- Concerns to be counted.
INSERT INTO concern (force_id, id, area_id, category, raised_on)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::date[])
ON CONFLICT (force_id, id) DO NOTHING;

-- known_concerns
-- Which of these concerns are known here.
SELECT id FROM concern WHERE id = ANY ($1::uuid[]);

-- withdraw_concerns
-- Concerns that are counted no longer.
UPDATE concern SET withdrawn = true WHERE id = ANY ($1::uuid[]);

-- save_referrals
-- How far referrals have come.
INSERT INTO referral (force_id, id, concern_id, partner_id, state)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])
ON CONFLICT (force_id, id) DO UPDATE SET state = excluded.state;

-- resolve_concerns
-- Concerns that have ended, how, and on which day.
UPDATE concern AS c SET resolution = i.resolution, resolved_on = i.resolved_on
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::date[]) AS i (force_id, id, resolution, resolved_on)
WHERE c.force_id = i.force_id AND c.id = i.id;

-- save_follow_ups
-- Calls and visits made. One that was opened again counts once: in time if it was each time, with its last outcome.
INSERT INTO follow_up AS f (force_id, id, outcome, in_time)
SELECT force_id, id, (array_agg(outcome ORDER BY ordinal DESC))[1], bool_and(in_time)
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::boolean[]) WITH ORDINALITY
    AS made (force_id, id, outcome, in_time, ordinal)
GROUP BY force_id, id
ON CONFLICT (force_id, id) DO UPDATE SET outcome = excluded.outcome, in_time = f.in_time AND excluded.in_time;

-- save_patrols
-- Where police were seen; uuids of one patrol travel as one text, for arrays of arrays are taken apart.
INSERT INTO patrol (force_id, id, area_id, patrolled_on, part, kind, minutes, concern_ids)
SELECT force_id, id, area_id, patrolled_on, part, kind, minutes, string_to_array(concern_ids, ' ')::uuid[]
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::date[], $5::text[], $6::text[], $7::integer[], $8::text[])
    AS logged (force_id, id, area_id, patrolled_on, part, kind, minutes, concern_ids)
ON CONFLICT (force_id, id) DO NOTHING;

-- forget_patrols
-- Patrols that were logged wrongly.
DELETE FROM patrol WHERE (force_id, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]));

-- tally_of_walks
-- Walks held and women invited.
SELECT count(*) AS walks, coalesce(sum(women), 0) AS women FROM invitation WHERE force_id = $1;

-- tally_of_surveys
-- Finished surveys, by survey.
SELECT survey, count(*) AS finished FROM answers WHERE force_id = $1 GROUP BY survey;

-- tally_of_pairs
-- Pair ids with answers before and after.
SELECT count(*) FROM answers AS b JOIN answers AS a USING (force_id, pair_id)
WHERE b.force_id = $1 AND b.survey = 'baseline' AND a.survey = 'after-walk';

-- tally_of_changes
-- Paired answers, by question, answer before and answer after.
SELECT q.code, q.before, a.answers ->> q.code AS after, count(*) AS pairs
FROM answers AS b
JOIN answers AS a USING (force_id, pair_id)
CROSS JOIN LATERAL jsonb_each_text(b.answers) AS q (code, before)
WHERE b.force_id = $1 AND b.survey = 'baseline' AND a.survey = 'after-walk' AND a.answers ? q.code
GROUP BY 1, 2, 3;

-- tally_of_concerns
-- Concerns that stand, by category.
SELECT category, count(*) AS concerns FROM concern WHERE force_id = $1 AND NOT withdrawn GROUP BY category;

-- tally_of_outcomes
-- Concerns that stand, by what became of them.
SELECT coalesce(resolution, 'open') AS outcome, count(*) AS concerns FROM concern
WHERE force_id = $1 AND NOT withdrawn GROUP BY 1;

-- tally_of_speeds
-- Concerns something was done about, by the days that took.
SELECT CASE WHEN resolved_on - raised_on <= 7 THEN 'week' WHEN resolved_on - raised_on <= 28 THEN 'month'
            ELSE 'longer' END AS speed, count(*) AS concerns
FROM concern WHERE force_id = $1 AND NOT withdrawn AND resolution = 'done' GROUP BY 1;

-- tally_of_referrals
-- Referrals of concerns that stand, by how far they have come.
SELECT r.state, count(*) AS referrals FROM referral AS r
JOIN concern AS c ON c.force_id = r.force_id AND c.id = r.concern_id
WHERE r.force_id = $1 AND NOT c.withdrawn GROUP BY r.state;

-- tally_of_follow_ups
-- Calls and visits made, in time and late.
SELECT count(*) FILTER (WHERE in_time) AS in_time, count(*) FILTER (WHERE NOT in_time) AS late
FROM follow_up WHERE force_id = $1;

-- unlink_answers
-- Answers of these pair ids stand under others from now on, the same for all surveys of one pair.
UPDATE answers AS a SET pair_id = i.other
FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS i (force_id, pair_id, other)
WHERE a.force_id = i.force_id AND a.pair_id = i.pair_id;
