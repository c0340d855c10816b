-- migrate:up

-- The times proposed to her that she has not answered, or how she answered those that became no walk: one a walk, and
-- gone once the walk is arranged.
ALTER TABLE walk ADD COLUMN proposal jsonb,
    ADD CONSTRAINT walk_proposal_has_an_officer CHECK (proposal IS NULL OR state IN ('taken', 'arranged'));
-- When she last changed where or when she wants to walk.
ALTER TABLE request ADD COLUMN amended_at timestamptz;

-- migrate:down
ALTER TABLE request DROP COLUMN amended_at;
ALTER TABLE walk DROP COLUMN proposal;
