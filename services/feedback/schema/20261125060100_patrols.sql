-- migrate:up

-- Where and when police were seen on foot or by cycle, so that presence before and after a report can be compared. Neither
-- who they were nor what they heard is known here.
CREATE TABLE patrol (
    force_id text NOT NULL,
    id uuid NOT NULL,
    area_id text NOT NULL,
    patrolled_on date NOT NULL,
    part text NOT NULL,
    kind text NOT NULL,
    minutes integer NOT NULL CHECK (minutes > 0),
    concern_ids uuid[] NOT NULL,
    PRIMARY KEY (force_id, id)
);
COMMENT ON COLUMN patrol.concern_ids IS 'Concerns because of which they were there; one may be told later than its patrol.';
CREATE INDEX patrol_of_area ON patrol (force_id, area_id, patrolled_on);
CALL force_rows('patrol');

-- migrate:down
DROP TABLE patrol;
