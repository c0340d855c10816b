-- add_heard
-- How women heard of the scheme, one row a request and under an id of its own.
INSERT INTO heard_by (force_id, id, campaign, month)
SELECT i.force_id, gen_random_uuid(), i.campaign, i.month
FROM unnest($1::text[], $2::text[], $3::text[]) AS i (force_id, campaign, month);

-- heard_counts
-- How many requests came by each campaign since a month.
SELECT campaign, count(*) AS requests FROM heard_by WHERE force_id = $1 AND month >= $2 GROUP BY campaign;
