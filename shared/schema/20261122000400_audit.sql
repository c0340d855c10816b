-- migrate:up

-- Data Protection Act 2018 s.62: collection, alteration, consultation, disclosure, erasure of personal data; who,
-- when, why, to whom. Plain rows in the transaction; a sealer chains them within a second.
CREATE TABLE audit (
    force_id text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    recipient text,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('audit');
REVOKE UPDATE, DELETE ON audit FROM walkandtalk_web, walkandtalk_bus;

-- One link a sealing: the hash covers the rows sealed with it and the link before.
CREATE TABLE audit_seal (
    link bigint PRIMARY KEY,
    ids bigint[] NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL
);
CREATE TABLE audit_unsealed (
    force_id text NOT NULL,
    id bigint NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('audit_unsealed');
GRANT SELECT, INSERT ON audit_seal TO walkandtalk_bus;

-- migrate:down
DROP TABLE audit_unsealed, audit_seal, audit;
