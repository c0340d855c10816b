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
