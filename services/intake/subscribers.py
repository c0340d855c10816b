"""The bus comes in: one line an event type."""

from __future__ import annotations

from functools import partial

from services.intake import handlers
from services.intake.handlers import Keeping
from shared.bus.subscriptions import Subscriptions
from shared.contracts.feedback import FeedbackFlagged, SurveyInvited
from shared.contracts.referrals import ConcernResolved
from shared.contracts.walks import (
    ConcernsAttached,
    FollowUpCompleted,
    WalkArranged,
    WalkCancelled,
    WalkCompleted,
    WalkRouted,
    WalkTaken,
)


def subscriptions(keeping: Keeping) -> Subscriptions:
    """What intake consumes."""
    subscribe = Subscriptions("intake")
    subscribe.to(WalkRouted, handlers.route_requests)
    subscribe.to(WalkTaken, handlers.take_requests)
    subscribe.to(WalkArranged, partial(handlers.tell_arranged, keeping=keeping))
    subscribe.to(WalkCancelled, partial(handlers.tell_cancelled, keeping=keeping))
    subscribe.to(WalkCompleted, handlers.complete_requests)
    subscribe.to(ConcernsAttached, handlers.attach_concerns)
    subscribe.to(FollowUpCompleted, handlers.note_follow_ups)
    subscribe.to(ConcernResolved, partial(handlers.tell_resolved, keeping=keeping))
    subscribe.to(SurveyInvited, partial(handlers.send_surveys, keeping=keeping))
    subscribe.to(FeedbackFlagged, partial(handlers.want_contact, keeping=keeping))
    return subscribe
