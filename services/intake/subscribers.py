"""The bus comes in: one line an event type."""

from __future__ import annotations

from functools import partial

from services.intake.handlers import follow_ups, surveys, walks
from services.intake.handlers.keeping import Keeping
from shared.bus.subscriptions import Subscriptions
from shared.contracts.feedback import FeedbackFlagged, SurveyInvited
from shared.contracts.referrals import ConcernResolved
from shared.contracts.walks import (
    ConcernsAttached,
    FollowUpCompleted,
    FollowUpHandedOver,
    WalkArranged,
    WalkCancelled,
    WalkCompleted,
    WalkNotHeld,
    WalkProposed,
    WalkRearranged,
    WalkReturned,
    WalkRouted,
    WalkTaken,
)


def subscriptions(keeping: Keeping) -> Subscriptions:
    """What intake consumes."""
    subscribe = Subscriptions("intake")
    subscribe.to(WalkRouted, partial(walks.route_requests, keeping=keeping))
    subscribe.to(WalkReturned, partial(walks.route_requests, keeping=keeping))
    subscribe.to(WalkTaken, walks.take_requests)
    subscribe.to(WalkProposed, partial(walks.tell_proposed, keeping=keeping))
    subscribe.to(WalkArranged, partial(walks.tell_arranged, keeping=keeping))
    subscribe.to(WalkRearranged, partial(walks.tell_moved, keeping=keeping))
    subscribe.to(WalkCancelled, partial(walks.tell_cancelled, keeping=keeping))
    subscribe.to(WalkNotHeld, partial(walks.tell_not_held, keeping=keeping))
    subscribe.to(WalkCompleted, walks.complete_requests)
    subscribe.to(ConcernsAttached, walks.attach_concerns)
    subscribe.to(FollowUpHandedOver, follow_ups.note_callers)
    subscribe.to(FollowUpCompleted, follow_ups.note_follow_ups)
    subscribe.to(ConcernResolved, partial(walks.tell_resolved, keeping=keeping))
    subscribe.to(SurveyInvited, partial(surveys.send_surveys, keeping=keeping))
    subscribe.to(FeedbackFlagged, partial(follow_ups.want_contact, keeping=keeping))
    return subscribe
