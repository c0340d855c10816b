-- schedule
-- What is to be sent and when; what is being sent, or was, stays as it is.
INSERT INTO sending AS s (force_id, id, channel, due_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
ON CONFLICT (force_id, id) DO UPDATE SET due_at = excluded.due_at
WHERE s.state = 'due' AND s.claimed_until IS NULL;

-- cancel_sendings
-- What was not sent yet no longer will be; what is on its way just now may still arrive.
UPDATE sending SET state = 'cancelled', ended_at = now()
WHERE force_id = $1 AND id = ANY ($2::uuid[]) AND state = 'due';

-- forget_sendings
-- What was, is or was never sent: nothing is left to say it of.
DELETE FROM sending WHERE force_id = $1 AND id = ANY ($2::uuid[]);

-- claim
-- What one channel is to send now, for as long as the lease runs: new ones, and those whose sender fell silent.
UPDATE sending AS s SET claimed_until = $3, tries = s.tries + 1
FROM (
    SELECT force_id, id FROM sending
    WHERE state = 'due' AND channel = $1 AND due_at <= $2 AND (claimed_until IS NULL OR claimed_until <= $2)
    ORDER BY due_at, id
    LIMIT $4
    FOR UPDATE SKIP LOCKED
) AS due
WHERE s.force_id = due.force_id AND s.id = due.id
RETURNING s.force_id, s.id, s.claimed_until, s.tries;

-- mark_sent
-- The channel took it, even if it was cancelled meanwhile.
UPDATE sending SET state = 'sent', ended_at = $3, claimed_until = NULL, fault = NULL
WHERE force_id = $1 AND id = $2 AND state IN ('due', 'cancelled');

-- postpone
-- The channel did not take it: later, unless the lease has passed to another sender.
UPDATE sending SET due_at = $4, claimed_until = NULL, fault = $5
WHERE force_id = $1 AND id = $2 AND claimed_until = $3 AND state = 'due';

-- mark_failed
-- The channel will never take it, or was asked often enough; a person has to see to it.
UPDATE sending SET state = 'failed', ended_at = $4, claimed_until = NULL, fault = $5
WHERE force_id = $1 AND id = $2 AND claimed_until = $3 AND state = 'due';

-- mark_cancelled
-- It must not leave any more.
UPDATE sending SET state = 'cancelled', ended_at = $4, claimed_until = NULL, fault = $5
WHERE force_id = $1 AND id = $2 AND claimed_until = $3 AND state = 'due';

-- send_again
-- It was taken and did not arrive: once more, tries counted anew.
UPDATE sending SET state = 'due', due_at = $3, tries = 0, ended_at = NULL, claimed_until = NULL, fault = NULL
WHERE force_id = $1 AND id = $2 AND state IN ('due', 'sent');

-- fail_sent
-- It was taken and will never arrive.
UPDATE sending SET state = 'failed', ended_at = $3, claimed_until = NULL, fault = $4
WHERE force_id = $1 AND id = $2 AND state IN ('due', 'sent');

-- next_sending
-- When one channel has something to send next.
SELECT min(greatest(due_at, claimed_until)) FROM sending WHERE state = 'due' AND channel = $1;
