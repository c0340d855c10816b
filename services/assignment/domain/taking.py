"""An officer takes a walk on, once, and loses it who may walk no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.assignment.domain.people import Officer, refuse_who_may_not_walk
from services.assignment.domain.refusals import (
    ContactStopped,
    WalkAlreadyTaken,
    WalkNotRouted,
)
from services.assignment.domain.walks import Changed, State, Walk, refuse_ended
from shared.contracts.policy import WalkRules
from shared.contracts.walks import WalkRouted, WalkTaken


def take(walk: Walk, officer: Officer, rules: WalkRules, now: datetime) -> Changed:
    """An officer takes the walk on, once.

    :raises Refusal: the walk is not waiting, contact is no longer safe, or the officer may not walk it (not of the
        team, not trained, not of a kind the policy names, excluded by her).
    """
    refuse_ended(walk)
    if walk.state is State.TRIAGE or walk.located is None:
        raise WalkNotRouted
    if walk.state is not State.ROUTED:
        raise WalkAlreadyTaken
    if walk.contact_stopped:
        raise ContactStopped
    refuse_who_may_not_walk(officer, walk, walk.located, rules, now)
    event = WalkTaken(
        walk_id=walk.id, request_ids=walk.request_ids, officer_id=officer.id, team_id=walk.located.team_id
    )
    return Changed(replace(walk, state=State.TAKEN, officer_id=officer.id, officer_kind=officer.kind), (event,))


def give_back(walk: Walk) -> Changed:
    """The walk goes back to its team's queue: whoever had it may walk no longer."""
    refuse_ended(walk)
    assert walk.located is not None
    located = walk.located
    event = WalkRouted(
        walk_id=walk.id,
        request_ids=walk.request_ids,
        area_id=located.area_id,
        team_id=located.team_id,
        routed_by=located.how,
        boundary_version=located.boundary_version,
        distance_m=located.distance_m,
    )
    returned = replace(
        walk,
        state=State.ROUTED,
        officer_id=None,
        officer_kind=None,
        starts_at=None,
        busy_until=None,
        meeting_place=None,
        proposal=None,
        second_id=None,
    )
    return Changed(returned, (event,))
