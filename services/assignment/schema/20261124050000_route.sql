-- migrate:up

-- {"points": [{"latitude": …, "longitude": …}, …]}: where she would like to pass, the place first; NULL where it is one place.
ALTER TABLE request ADD COLUMN route jsonb;

-- migrate:down
ALTER TABLE request DROP COLUMN route;
