"""Whether the officers of a walk are back: asked some time after it was to end, until one of them says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.assignment.domain.people import Person
from services.assignment.domain.refusals import NotYourWalk, WalkNotArranged
from services.assignment.domain.walks import Changed, State, Walk
from shared.contracts.policy import WalkRules


def is_missed(walk: Walk, now: datetime) -> bool:
    """Whether nobody has said in time that the officers of this walk are back."""
    return walk.state is State.ARRANGED and walk.check_in_at is not None and walk.check_in_at <= now


def may_check_in(walk: Walk, by: Person) -> bool:
    """Whether this person may answer: either officer of the walk, and coordinators for them."""
    return by.is_coordinator or by.id in walk.officer_ids


def check_in(walk: Walk, by: Person, is_back: bool, rules: WalkRules, now: datetime) -> Changed:
    """The officers are back, or well and still out: then they are asked again later.

    :raises NotYourWalk: somebody else's to answer.
    :raises WalkNotArranged: nobody is out on it.
    """
    if not may_check_in(walk, by):
        raise NotYourWalk
    if walk.state is not State.ARRANGED:
        raise WalkNotArranged
    later = None if is_back else now + timedelta(minutes=rules.check_in_after_minutes)
    return Changed(replace(walk, check_in_at=later))
