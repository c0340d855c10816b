-- renew_calendar
-- The one secret by which an officer's calendar is fetched from now on.
INSERT INTO calendar_feed (force_id, officer_id, token_hash, made_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (force_id, officer_id) DO UPDATE SET token_hash = excluded.token_hash, made_at = excluded.made_at;

-- end_calendar
-- Nobody fetches it any more.
DELETE FROM calendar_feed WHERE force_id = $1 AND officer_id = $2;

-- calendar_made_at
-- Since when an officer's calendar can be fetched.
SELECT made_at FROM calendar_feed WHERE force_id = $1 AND officer_id = $2;

-- officer_of_calendar
-- Whose calendar a secret opens.
SELECT officer_id FROM calendar_feed WHERE force_id = $1 AND token_hash = $2;
