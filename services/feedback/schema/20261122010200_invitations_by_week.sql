-- migrate:up

-- Invitations are only inserted, once a walk, and counted: kept by the week the walk's id says, as the inbox is, so that
-- an event touches as many pages after years as in the first week. What is looked up or changed is not: a query that
-- cannot say the week would visit every partition.
ALTER TABLE invitation NO FORCE ROW LEVEL SECURITY;
ALTER TABLE invitation RENAME TO invitation_whole;
ALTER INDEX invitation_pkey RENAME TO invitation_whole_pkey;
ALTER TABLE invitation_whole RENAME CONSTRAINT invitation_women_check TO invitation_whole_women_check;
CREATE TABLE invitation (
    force_id text NOT NULL,
    walk_id uuid NOT NULL,
    survey text NOT NULL,
    id uuid NOT NULL,
    area_id text NOT NULL,
    women integer NOT NULL CHECK (women > 0),
    month text NOT NULL,
    send_from timestamptz NOT NULL,
    PRIMARY KEY (force_id, walk_id, survey)
) PARTITION BY RANGE (walk_id);
CREATE TABLE invitation_default PARTITION OF invitation DEFAULT;
INSERT INTO invitation SELECT * FROM invitation_whole;
DROP TABLE invitation_whole;
CALL force_rows('invitation');

-- migrate:down
ALTER TABLE invitation NO FORCE ROW LEVEL SECURITY;
ALTER TABLE invitation RENAME TO invitation_by_week;
ALTER INDEX invitation_pkey RENAME TO invitation_by_week_pkey;
CREATE TABLE invitation (
    force_id text NOT NULL,
    walk_id uuid NOT NULL,
    survey text NOT NULL,
    id uuid NOT NULL,
    area_id text NOT NULL,
    women integer NOT NULL CHECK (women > 0),
    month text NOT NULL,
    send_from timestamptz NOT NULL,
    PRIMARY KEY (force_id, walk_id, survey)
);
INSERT INTO invitation SELECT * FROM invitation_by_week;
DROP TABLE invitation_by_week;
CALL force_rows('invitation');
