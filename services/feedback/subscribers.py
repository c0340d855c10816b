"""What feedback hears from the bus: one line an event type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from services.feedback import handlers
from shared.bus.subscriptions import Subscriptions
from shared.contracts.areas import AreaPublished
from shared.contracts.baseline import AnswersWithdrawn, BaselineAnswered, EqualityAnswered
from shared.contracts.concerns import ConcernRaised, ConcernRedacted, ConcernWithdrawn
from shared.contracts.policy import ForcePolicy
from shared.contracts.referrals import (
    ConcernResolved,
    ReferralAccepted,
    ReferralDeclined,
    ReferralMade,
    ReferralUpdated,
)
from shared.contracts.walks import FollowUpCompleted, PatrolLogged, PatrolWithdrawn, WalkCompleted


def subscriptions(policies: Mapping[str, ForcePolicy]) -> Subscriptions:
    """Event type → handler."""
    subscribe = Subscriptions("feedback")
    subscribe.to(WalkCompleted, partial(handlers.invite, policies=policies))
    subscribe.to(BaselineAnswered, handlers.keep_baseline)
    subscribe.to(EqualityAnswered, handlers.keep_equality)
    subscribe.to(AnswersWithdrawn, handlers.forget_answers)
    subscribe.to(AreaPublished, handlers.keep_areas)
    subscribe.to(ConcernRaised, handlers.count_concerns)
    subscribe.to(ConcernWithdrawn, handlers.withdraw_concerns)
    subscribe.to(ConcernRedacted, handlers.forget_words)
    subscribe.to(ReferralMade, handlers.follow_referrals)
    subscribe.to(ReferralAccepted, handlers.follow_referrals)
    subscribe.to(ReferralDeclined, handlers.follow_referrals)
    subscribe.to(ReferralUpdated, handlers.follow_referrals)
    subscribe.to(ConcernResolved, handlers.follow_referrals)
    subscribe.to(FollowUpCompleted, handlers.count_follow_ups)
    subscribe.to(PatrolLogged, handlers.keep_patrols)
    subscribe.to(PatrolWithdrawn, handlers.forget_patrols)
    return subscribe
