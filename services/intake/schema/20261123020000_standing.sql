-- migrate:up

-- Sealed under her own key. `wanted`: where and when she wants to walk, as it stands after what she has changed.
-- `times`: when and where the walk is to be, and the times proposed to her.
ALTER TABLE walk_request ADD COLUMN wanted bytea, ADD COLUMN times bytea;

-- migrate:down
ALTER TABLE walk_request DROP COLUMN times, DROP COLUMN wanted;
