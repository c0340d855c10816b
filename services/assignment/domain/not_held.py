"""An arranged walk that did not take place, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.assignment.domain.arranging import cancel
from services.assignment.domain.refusals import ContactStopped, WalkNotArranged, WrongField
from services.assignment.domain.taking import give_back
from services.assignment.domain.walks import Changed, NotHeld, State, Walk, on_hand
from shared.contracts.walks import WalkNotHeld, WhatNext, WhyNotHeld


class WalkNotBegun(WrongField):
    """The walk is still to come. Change its time, or cancel it."""

    field = "why"


def not_held(walk: Walk, why: WhyNotHeld, what_next: WhatNext, now: datetime) -> Changed:
    """The walk was to have begun and was not held: its time stands no longer, and she is told so.

    :raises WalkNotArranged, WalkNotBegun: there is nothing that could have been missed.
    :raises ContactStopped: it can only be closed.
    """
    located, officer_id, _ = on_hand(walk)
    if walk.state is not State.ARRANGED or walk.starts_at is None:
        raise WalkNotArranged
    if walk.starts_at > now:
        raise WalkNotBegun
    if walk.contact_stopped and what_next is not WhatNext.CLOSE:
        raise ContactStopped
    told = WalkNotHeld(
        walk_id=walk.id,
        request_ids=walk.request_ids,
        officer_id=officer_id,
        team_id=located.team_id,
        starts_at=walk.starts_at,
        why=why,
        what_next=what_next,
    )
    missed = replace(
        walk,
        state=State.TAKEN,
        not_held=(*walk.not_held, NotHeld(walk.starts_at, why)),
        starts_at=None,
        busy_until=None,
        meeting_place=None,
        proposal=None,
        check_in_at=None,
    )
    match what_next:
        case WhatNext.AGAIN:
            after = Changed(missed)
        case WhatNext.QUEUE:
            after = give_back(missed)
        case WhatNext.CLOSE:
            after = cancel(missed, "not-held")
    return Changed(after.walk, (told, *after.events))
