-- migrate:up

-- How often something was done from one address in an hour. `digest` is keyed, of what was done, the force, the hour and
-- the address, so that two hours of one address have nothing in common. Not written ahead: after a crash counting begins
-- anew, and that is cheaper than keeping it.
CREATE UNLOGGED TABLE attempt (
    force_id text NOT NULL,
    digest bytea NOT NULL,
    many bigint NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (force_id, digest)
) WITH (fillfactor = 50);
CALL force_rows('attempt');

-- migrate:down
DROP TABLE attempt;
