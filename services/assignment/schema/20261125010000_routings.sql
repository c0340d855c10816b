-- migrate:up

CREATE TABLE routing (
    force_id text NOT NULL,
    id uuid NOT NULL,
    walk_id uuid NOT NULL,
    at timestamptz NOT NULL,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL,
    places integer NOT NULL CHECK (places > 0),
    area_id text,
    team_id text,
    boundary_version text,
    how text,
    distance_m double precision,
    share double precision CHECK (share BETWEEN 0 AND 1),
    others text[] NOT NULL,
    triage_reason text,
    by_whom text,
    PRIMARY KEY (force_id, id),
    FOREIGN KEY (force_id, walk_id) REFERENCES walk (force_id, id),
    -- Somewhere, and why; or nowhere, and why not.
    CHECK ((triage_reason IS NULL) = (num_nulls(area_id, team_id, boundary_version, how) = 0)),
    CHECK ((triage_reason IS NOT NULL) = (num_nonnulls(area_id, team_id, boundary_version, how) = 0))
);
COMMENT ON TABLE routing IS 'Why a walk went where it went, each time it was routed. Rows are added, and blurred when she is erased.';
COMMENT ON COLUMN routing.places IS 'How many places the way had; 1 is a place.';
COMMENT ON COLUMN routing.others IS 'Areas it could have been as well.';
COMMENT ON COLUMN routing.by_whom IS 'The coordinator who chose.';
CREATE INDEX routing_of_walk ON routing (force_id, walk_id, at, id);
CALL force_rows('routing');

-- migrate:down
DROP TABLE routing;
