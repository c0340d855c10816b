-- add_unconfirmed
-- Requests that wait until somebody who reads her messages confirms them.
INSERT INTO unconfirmed (force_id, request_id, code, sealed) SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::bytea[]);

-- take_unconfirmed
-- One that is confirmed now; none where it was before, or is gone.
DELETE FROM unconfirmed WHERE force_id = $1 AND request_id = $2 RETURNING sealed;

-- unconfirmed
-- Whether one waits still.
SELECT EXISTS (SELECT FROM unconfirmed WHERE force_id = $1 AND request_id = $2);

-- try_code
-- A try at the code of a reference, of which there are a few: the request, if it was right.
UPDATE unconfirmed AS u SET tries = u.tries + 1
FROM walk_request AS r
WHERE r.force_id = $1 AND r.reference = $2 AND u.force_id = r.force_id AND u.request_id = r.id AND u.tries < $4
RETURNING CASE WHEN u.code = $3 THEN u.request_id END AS request_id;
