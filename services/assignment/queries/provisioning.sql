-- add_scim_user
-- A person the identity provider tells of for the first time.
INSERT INTO scim_user (force_id, id, user_name, external_id, subject, active, document, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8);

-- change_scim_user
-- A person as the identity provider has one now.
UPDATE scim_user SET user_name = $3, external_id = $4, subject = $5, active = $6, document = $7, changed_at = $8
WHERE force_id = $1 AND id = $2;

-- remove_scim_user
-- A person the identity provider has no more: whoever it was stays off, of what it said nothing is kept.
UPDATE scim_user SET active = false, document = '{}', deleted_at = $3, changed_at = $3
WHERE force_id = $1 AND id = $2;

-- leave_scim_groups
-- Somebody is in no group any more.
DELETE FROM scim_member WHERE force_id = $1 AND user_id = $2;

-- lock_scim_user
-- A person of the identity provider, locked until what was sent is done.
SELECT * FROM scim_user WHERE force_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE;

-- scim_users_by_id
-- These people of the identity provider.
SELECT * FROM scim_user WHERE force_id = $1 AND id = ANY ($2::uuid[]) AND deleted_at IS NULL;

-- scim_users
-- A page of the people of a force's identity provider, by what was asked.
SELECT * FROM scim_user
WHERE force_id = $1 AND deleted_at IS NULL
    AND ($2::text IS NULL OR lower(user_name) = lower($2)) AND ($3::text IS NULL OR external_id = $3)
    AND ($4::uuid IS NULL OR id = $4) AND ($5::boolean IS NULL OR active = $5)
ORDER BY created_at, id LIMIT $6 OFFSET $7;

-- count_scim_users
-- How many there are.
SELECT count(*) FROM scim_user
WHERE force_id = $1 AND deleted_at IS NULL
    AND ($2::text IS NULL OR lower(user_name) = lower($2)) AND ($3::text IS NULL OR external_id = $3)
    AND ($4::uuid IS NULL OR id = $4) AND ($5::boolean IS NULL OR active = $5);

-- save_scim_group
-- A group as the identity provider has it now.
INSERT INTO scim_group (force_id, id, display_name, external_id, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (force_id, id) DO UPDATE
SET display_name = excluded.display_name, external_id = excluded.external_id, changed_at = excluded.changed_at;

-- remove_scim_group
-- A group the identity provider has no more.
DELETE FROM scim_group WHERE force_id = $1 AND id = $2;

-- lock_scim_group
-- A group, locked until what was sent is done.
SELECT * FROM scim_group WHERE force_id = $1 AND id = $2 FOR UPDATE;

-- scim_groups
-- A page of a force's groups, by what was asked.
SELECT * FROM scim_group g
WHERE force_id = $1 AND ($2::text IS NULL OR lower(display_name) = lower($2))
    AND ($3::text IS NULL OR external_id = $3) AND ($4::uuid IS NULL OR id = $4)
    AND ($5::uuid IS NULL OR EXISTS (
        SELECT FROM scim_member m WHERE m.force_id = g.force_id AND m.group_id = g.id AND m.user_id = $5
    ))
ORDER BY created_at, id LIMIT $6 OFFSET $7;

-- count_scim_groups
-- How many there are.
SELECT count(*) FROM scim_group g
WHERE force_id = $1 AND ($2::text IS NULL OR lower(display_name) = lower($2))
    AND ($3::text IS NULL OR external_id = $3) AND ($4::uuid IS NULL OR id = $4)
    AND ($5::uuid IS NULL OR EXISTS (
        SELECT FROM scim_member m WHERE m.force_id = g.force_id AND m.group_id = g.id AND m.user_id = $5
    ));

-- members_of_groups
-- Who is in these groups.
SELECT group_id, user_id FROM scim_member WHERE force_id = $1 AND group_id = ANY ($2::uuid[]) ORDER BY user_id;

-- groups_of_users
-- The groups each of these people is in.
SELECT m.user_id, g.id, g.display_name, g.external_id FROM scim_member m
JOIN scim_group g ON g.force_id = m.force_id AND g.id = m.group_id
WHERE m.force_id = $1 AND m.user_id = ANY ($2::uuid[]) ORDER BY g.display_name;

-- add_members
-- These people are in a group; whoever is not known, or was deleted, is left out.
INSERT INTO scim_member (force_id, group_id, user_id)
SELECT $1, $2, u.id FROM scim_user u WHERE u.force_id = $1 AND u.id = ANY ($3::uuid[]) AND u.deleted_at IS NULL
ON CONFLICT DO NOTHING;

-- remove_members
-- These people are in a group no more.
DELETE FROM scim_member WHERE force_id = $1 AND group_id = $2 AND user_id = ANY ($3::uuid[]);

-- scim_users_without_entry
-- People of the identity provider who stand on no register: those who do not walk, and those nobody has placed yet.
SELECT u.* FROM scim_user u
WHERE u.force_id = $1 AND u.deleted_at IS NULL AND u.active
    AND NOT EXISTS (SELECT FROM officer o WHERE o.force_id = u.force_id AND o.id = u.subject)
ORDER BY lower(u.user_name), u.id LIMIT $2;
