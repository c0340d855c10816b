-- reseal_participant
-- Her rules have changed.
UPDATE participant SET sealed = $3 WHERE force_id = $1 AND id = $2;

-- forget_digests
-- By what she was recognised until now.
DELETE FROM participant_digest WHERE force_id = $1 AND participant_id = $2;

-- add_digests
-- By what she is recognised from now on.
INSERT INTO participant_digest (force_id, digest, participant_id)
SELECT $1, digest, $2 FROM unnest($3::bytea[]) AS d (digest);

-- open_requests_of
-- Open requests of others who gave one of these addresses or numbers: perhaps the same woman.
SELECT DISTINCT r.id FROM participant_digest AS d
JOIN walk_request AS r ON r.force_id = d.force_id AND r.participant_id = d.participant_id
WHERE d.force_id = $1 AND d.digest = ANY ($2::bytea[]) AND d.participant_id <> $3
    AND r.state NOT IN ('completed', 'cancelled', 'withdrawn');
