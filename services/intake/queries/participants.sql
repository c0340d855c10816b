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
