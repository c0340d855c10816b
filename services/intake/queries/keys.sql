-- keys_to_rewrap
-- Keys that another master key than this has wrapped, from a place on, held still; an erasure that waits goes after.
SELECT force_id, participant_id, master, wrapped_key FROM participant_key
WHERE master <> $1 AND (force_id, participant_id) > ($2::text, $3::uuid)
ORDER BY force_id, participant_id LIMIT $4 FOR UPDATE;

-- rewrap_keys
-- The same keys, wrapped by this master key.
UPDATE participant_key AS k SET master = $1, wrapped_key = i.wrapped_key
FROM unnest($2::text[], $3::uuid[], $4::bytea[]) AS i (force_id, participant_id, wrapped_key)
WHERE k.force_id = i.force_id AND k.participant_id = i.participant_id;

-- keys_by_master
-- How many keys each master key has wrapped.
SELECT master, count(*) AS many FROM participant_key GROUP BY master ORDER BY master;

-- rows_without_key
-- How many women's rows nothing opens: their keys were not put back, or are lost.
SELECT count(*) FROM participant AS p
WHERE NOT EXISTS (SELECT FROM participant_key AS k WHERE k.force_id = p.force_id AND k.participant_id = p.id);
