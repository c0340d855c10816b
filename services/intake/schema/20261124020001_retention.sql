-- migrate:up

-- What tells when a request has come to its end and whether anything of it is still open: when its walk last moved, when
-- a call or visit was asked for, whether the data protection officer keeps it, and when a concern was answered.
ALTER TABLE walk_request
    ADD COLUMN moved_at timestamptz, ADD COLUMN contact_wanted_at timestamptz, ADD COLUMN on_hold_at timestamptz;
ALTER TABLE walk_concern ADD COLUMN resolved_at timestamptz;
CREATE INDEX walk_concern_open ON walk_concern (force_id, walk_id) WHERE resolved_at IS NULL;

-- How far each request has come to its end: when anything last happened to it, and why it is kept if it is.
CREATE VIEW request_end WITH (security_invoker = true) AS
SELECT r.force_id, r.id, r.participant_id, r.state IN ('completed', 'cancelled', 'withdrawn') AS ended,
       greatest(r.requested_at, r.moved_at, r.contact_wanted_at, r.followed_up_at, m.last_at) AS since,
       CASE
           WHEN r.on_hold_at IS NOT NULL THEN 'on hold'
           WHEN r.state = 'arranged' THEN 'a walk is planned'
           WHEN m.waits THEN 'a message is still to leave'
           WHEN r.contact_wanted_at > coalesce(r.followed_up_at, '-infinity') THEN 'a call or visit is wanted'
           WHEN EXISTS (
               SELECT FROM walk_concern AS c
               WHERE c.force_id = r.force_id AND c.walk_id = r.walk_id AND c.resolved_at IS NULL
           ) THEN 'a concern is not answered'
       END AS kept
FROM walk_request AS r
CROSS JOIN LATERAL (
    SELECT max(greatest(m.created_at, m.receipt_at, s.ended_at)) AS last_at, coalesce(bool_or(s.state = 'due'), false) AS waits
    FROM message AS m LEFT JOIN sending AS s ON s.force_id = m.force_id AND s.id = m.id
    WHERE m.force_id = r.force_id AND m.request_id = r.id
) AS m;
GRANT SELECT ON request_end TO walkandtalk_web, walkandtalk_bus;

-- migrate:down
DROP VIEW request_end;
DROP INDEX walk_concern_open;
ALTER TABLE walk_concern DROP COLUMN resolved_at;
ALTER TABLE walk_request DROP COLUMN on_hold_at, DROP COLUMN contact_wanted_at, DROP COLUMN moved_at;
