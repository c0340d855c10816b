"""What assignment takes from the bus."""

from __future__ import annotations

from functools import partial

from services.assignment.dependencies import Dependencies
from services.assignment.handlers import arranging, erasure, groups, referrals, requests
from services.assignment.handlers import follow_ups as following_up
from shared.bus.subscriptions import Subscriptions
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.referrals import (
    ConcernResolved,
    ReferralAccepted,
    ReferralDeclined,
    ReferralMade,
    ReferralUpdated,
)
from shared.contracts.walk_requests import (
    ContactRulesChanged,
    ContactWanted,
    ParticipantErased,
    ProposalAnswered,
    WalkRequestAmended,
    WalkRequested,
    WalkRequestWithdrawn,
)


def subscriptions(deps: Dependencies) -> Subscriptions:
    """One line an event type."""
    policies = deps.policies
    subscribe = Subscriptions("assignment")
    subscribe.to(WalkRequested, partial(requests.route_requests, policies=policies, locate=deps.registers.locate))
    subscribe.to(WalkRequestAmended, partial(groups.amend_requests, policies=policies, locate=deps.registers.locate))
    subscribe.to(ProposalAnswered, partial(arranging.answer_proposals, policies=policies))
    subscribe.to(WalkRequestWithdrawn, requests.withdraw_requests)
    subscribe.to(
        ContactRulesChanged, partial(groups.change_contact_rules, policies=policies, locate=deps.registers.locate)
    )
    subscribe.to(ContactWanted, partial(following_up.open_follow_ups, policies=policies))
    subscribe.to(ParticipantErased, erasure.forget_erased)
    subscribe.to(FeedbackFlagged, partial(following_up.open_reviews, policies=policies))
    subscribe.to(ReferralMade, referrals.note_referrals)
    subscribe.to(ReferralAccepted, referrals.note_referrals)
    subscribe.to(ReferralDeclined, referrals.note_referrals)
    subscribe.to(ReferralUpdated, referrals.note_referrals)
    subscribe.to(ConcernResolved, referrals.note_referrals)
    return subscribe
