"""What assignment takes from the bus."""

from __future__ import annotations

from functools import partial

from services.assignment import handlers
from services.assignment.dependencies import Dependencies
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
    subscribe.to(WalkRequested, partial(handlers.route_requests, policies=policies, locate=deps.registers.locate))
    subscribe.to(WalkRequestAmended, partial(handlers.amend_requests, locate=deps.registers.locate))
    subscribe.to(ProposalAnswered, partial(handlers.answer_proposals, policies=policies))
    subscribe.to(WalkRequestWithdrawn, handlers.withdraw_requests)
    subscribe.to(ContactRulesChanged, handlers.change_contact_rules)
    subscribe.to(ContactWanted, partial(handlers.open_follow_ups, policies=policies))
    subscribe.to(ParticipantErased, handlers.forget_erased)
    subscribe.to(FeedbackFlagged, partial(handlers.open_reviews, policies=policies))
    subscribe.to(ReferralMade, handlers.note_referrals)
    subscribe.to(ReferralAccepted, handlers.note_referrals)
    subscribe.to(ReferralDeclined, handlers.note_referrals)
    subscribe.to(ReferralUpdated, handlers.note_referrals)
    subscribe.to(ConcernResolved, handlers.note_referrals)
    return subscribe
