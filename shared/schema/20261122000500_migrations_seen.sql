-- migrate:up

-- A service waits for the migrations it was written for, so its logins may see which were applied.
GRANT SELECT ON schema_migrations TO walkandtalk_web, walkandtalk_bus;

-- migrate:down
REVOKE SELECT ON schema_migrations FROM walkandtalk_web, walkandtalk_bus;
