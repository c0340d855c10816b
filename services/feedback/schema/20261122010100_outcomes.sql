-- migrate:up

-- Areas by name, for the evaluation.
CREATE TABLE area (
    force_id text NOT NULL,
    area_id text NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (force_id, area_id)
);
CALL force_rows('area');

-- What was raised and what became of it; no words, no place finer than the area.
CREATE TABLE concern (
    force_id text NOT NULL,
    id uuid NOT NULL,
    area_id text NOT NULL,
    category text NOT NULL,
    raised_on date NOT NULL,
    withdrawn boolean NOT NULL DEFAULT false,
    resolved_on date,
    resolution text,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('concern');

-- Who was asked to act, and how far that has come.
CREATE TABLE referral (
    force_id text NOT NULL,
    id uuid NOT NULL,
    concern_id uuid NOT NULL,
    partner_id text NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('referral');

-- Calls and visits made, and whether in time; neither her request nor the contact.
CREATE TABLE follow_up (
    force_id text NOT NULL,
    id uuid NOT NULL,
    outcome text NOT NULL,
    in_time boolean NOT NULL,
    PRIMARY KEY (force_id, id)
);
CALL force_rows('follow_up');

-- migrate:down
DROP TABLE follow_up, referral, concern, area;
