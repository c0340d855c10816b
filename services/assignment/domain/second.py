"""A second officer comes along on a walk, or does not any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.assignment.domain.people import Officer, refuse_who_may_not_walk
from services.assignment.domain.refusals import ContactStopped, WrongField
from services.assignment.domain.walks import Changed, Walk, on_hand
from shared.contracts.policy import WalkRules


class OnThisWalk(WrongField):
    """This officer is on this walk already."""

    field = "officer_id"


def bring(walk: Walk, officer: Officer, rules: WalkRules, now: datetime) -> Changed:
    """This officer comes along, in place of the second one there may be. The walk stays with who has it.

    :raises Refusal: nobody has the walk, contact is no longer safe, or this officer may not walk it or is on it.
    """
    located, _, _ = on_hand(walk)
    if walk.contact_stopped:
        raise ContactStopped
    refuse_who_may_not_walk(officer, walk, located, rules, now)
    if officer.id in walk.officer_ids:
        raise OnThisWalk
    return Changed(replace(walk, second_id=officer.id))


def leave(walk: Walk) -> Changed:
    """Nobody comes along any more."""
    on_hand(walk)
    return Changed(replace(walk, second_id=None))
