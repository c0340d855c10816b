-- migrate:up

-- A partner's list is read in its order, a state at a time, and stops after a page.
DROP INDEX referral_of_partner;
CREATE INDEX referral_of_partner ON referral (partner_id, force_id, state, overdue DESC, respond_by, reference);
-- What failed is counted every few seconds among all that was ever sent.
CREATE INDEX sending_failed ON sending (channel, force_id) WHERE state = 'failed';

-- migrate:down
DROP INDEX sending_failed;
DROP INDEX referral_of_partner;
CREATE INDEX referral_of_partner ON referral (partner_id, force_id, state);
