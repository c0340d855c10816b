-- add_attempt
-- Count what is being done; how often that makes it.
INSERT INTO attempt (force_id, digest, many, until) VALUES ($1, $2, 1, $3)
ON CONFLICT (force_id, digest) DO UPDATE SET many = attempt.many + 1
RETURNING many;

-- forget_attempts
-- Hours that are over.
DELETE FROM attempt WHERE until <= $1;

-- unasked_before
-- How many messages of these kinds were made for this address or number since a moment and before this one, for whatever
-- request, and have left or are to leave.
SELECT count(*) AS many
FROM participant_digest AS d
JOIN walk_request AS r ON r.force_id = d.force_id AND r.participant_id = d.participant_id
JOIN message AS m ON m.force_id = r.force_id AND m.request_id = r.id
JOIN sending AS s ON s.force_id = m.force_id AND s.id = m.id
WHERE d.force_id = $1 AND d.digest = $2 AND m.kind = ANY ($3::text[]) AND m.channel = $4 AND m.created_at > $5 AND m.id < $6
  AND m.refused IS NULL AND s.state IN ('due', 'sent');
