-- reseal_participant
-- Her rules have changed.
UPDATE participant SET sealed = $3 WHERE force_id = $1 AND id = $2;
