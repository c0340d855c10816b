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

-- note_stopped
-- Contact is no longer safe, from now on for whoever is recognised by the same address or number too.
UPDATE participant SET stopped_at = $3 WHERE force_id = $1 AND id = $2;

-- note_spoken
-- A coordinator has spoken to her: what others had stopped until now does not bind her any more.
UPDATE participant SET spoken_at = $3 WHERE force_id = $1 AND id = $2;

-- stopped_elsewhere
-- Requests of others, recognised by an address or number of hers, who have stopped all contact since anybody spoke to her.
SELECT DISTINCT r.id
FROM participant AS p
JOIN participant_digest AS d ON d.force_id = p.force_id AND d.participant_id = p.id
JOIN participant_digest AS s ON s.force_id = d.force_id AND s.digest = d.digest AND s.participant_id <> d.participant_id
JOIN participant AS o ON o.force_id = s.force_id AND o.id = s.participant_id
JOIN walk_request AS r ON r.force_id = o.force_id AND r.participant_id = o.id
WHERE p.force_id = $1 AND p.id = $2 AND o.stopped_at IS NOT NULL AND (p.spoken_at IS NULL OR o.stopped_at >= p.spoken_at);
