"""A walk is given back, handed over to another officer or team, or brought to a coordinator; always with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.assignment.domain import taking
from services.assignment.domain.areas import Area, Located
from services.assignment.domain.people import Officer, refuse_who_may_not_walk
from services.assignment.domain.refusals import AreaUnknown, ContactStopped, WalkNotRouted, WalkNotTaken, WrongField
from services.assignment.domain.routing import routed
from services.assignment.domain.walks import Changed, State, Walk, on_hand, refuse_ended
from shared.contracts.policy import WalkRules
from shared.contracts.refusals import Refusal
from shared.contracts.walks import RoutedBy, WalkRearranged, WalkTaken


class TimeAgreed(Refusal):
    """A time is agreed with her. Hand the walk over to another officer, who keeps that time, or cancel it."""


class AlreadyEscalated(Refusal):
    """A coordinator has been asked to see to this walk already."""


class SameOfficer(WrongField):
    """This officer has the walk already."""

    field = "officer_id"


class SameTeam(WrongField):
    """This team has the walk already."""

    field = "area_id"


class What(StrEnum):
    """How a walk was passed on. Not taken: nobody took it in time, and no person had to say so."""

    GIVEN_BACK = "given-back"
    TO_OFFICER = "to-officer"
    TO_TEAM = "to-team"
    TO_COORDINATOR = "to-coordinator"
    NOT_TAKEN = "not-taken"


class WhyPassed(StrEnum):
    """A closed list: what an officer would write here could say who she is."""

    AWAY = "away"
    WORKLOAD = "workload"
    TIMES_DO_NOT_FIT = "times-do-not-fit"
    ANOTHER_FITS_BETTER = "another-fits-better"
    CONFLICT_OF_INTEREST = "conflict-of-interest"
    LANGUAGE = "language"
    NEARER_TEAM = "nearer-team"
    NOT_REACHED = "not-reached"
    NEEDS_A_DECISION = "needs-a-decision"
    OTHER = "other"


ESCALATED: Final = frozenset({What.TO_COORDINATOR, What.NOT_TAKEN})


@dataclass(frozen=True, slots=True)
class PassedOn:
    """One such step, for the history of the walk; `by_id` and `why` None where nobody took it."""

    force_id: str
    id: UUID
    walk_id: UUID
    at: datetime
    what: What
    why: WhyPassed | None = None
    by_id: str | None = None
    from_officer_id: str | None = None
    to_officer_id: str | None = None
    from_team_id: str | None = None
    to_team_id: str | None = None
    settled_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Whether a coordinator has still to see to it."""
        return self.what in ESCALATED and self.settled_at is None


def give_back(walk: Walk) -> Changed:
    """The officer who has it lets go; it waits for the team again. What was proposed lapses.

    :raises TimeAgreed: she was told a time.
    """
    on_hand(walk)
    if walk.state is State.ARRANGED:
        raise TimeAgreed
    return taking.give_back(walk)


def to_officer(walk: Walk, officer: Officer, rules: WalkRules, now: datetime) -> Changed:
    """Another officer has the walk from now on, with what was proposed and agreed.

    :raises Refusal: nobody has it, contact is no longer safe, or that officer may not walk it.
    """
    located, officer_id, _ = on_hand(walk)
    if walk.contact_stopped:
        raise ContactStopped
    refuse_who_may_not_walk(officer, walk, located, rules, now)
    if officer.id == officer_id:
        raise SameOfficer
    # Who came along has it now, and nobody comes along.
    second_id = None if walk.second_id == officer.id else walk.second_id
    handed = replace(walk, officer_id=officer.id, officer_kind=officer.kind, second_id=second_id)
    if walk.state is not State.ARRANGED:
        taken = WalkTaken(walk_id=walk.id, request_ids=walk.request_ids, officer_id=officer.id, team_id=located.team_id)
        return Changed(handed, (taken,))
    assert walk.starts_at is not None and walk.meeting_place is not None
    moved = WalkRearranged(
        walk_id=walk.id,
        request_ids=walk.request_ids,
        officer_id=officer.id,
        team_id=located.team_id,
        starts_at=walk.starts_at,
        meeting_place=walk.meeting_place,
        before=walk.starts_at,
    )
    return Changed(handed, (moved,))


def to_team(walk: Walk, area: Area | None) -> Changed:
    """The walk waits for the team of another area. One she excludes is as unknown as one that is not there.

    :raises AreaUnknown, SameTeam, TimeAgreed:
    """
    _refuse_not_waiting(walk)
    if walk.contact_stopped:
        raise ContactStopped
    if area is None or walk.excludes_team(area.team_id):
        raise AreaUnknown
    assert walk.located is not None
    if area.team_id == walk.located.team_id:
        raise SameTeam
    located = Located(area.id, area.team_id, area.boundary_version, RoutedBy.COORDINATOR)
    return routed(replace(walk, officer_id=None, officer_kind=None, second_id=None, proposal=None), located)


def to_coordinator(walk: Walk) -> Changed:
    """A coordinator is asked to see to it. It waits for the team again meanwhile, so that nobody has to wait for one.

    :raises TimeAgreed: she was told a time.
    """
    _refuse_not_waiting(walk)
    return Changed(walk) if walk.state is State.ROUTED else give_back(walk)


def _refuse_not_waiting(walk: Walk) -> None:
    refuse_ended(walk)
    if walk.located is None or walk.state is State.TRIAGE:
        raise WalkNotRouted
    if walk.state is State.ARRANGED:
        raise TimeAgreed
    if walk.state not in (State.ROUTED, State.TAKEN):
        raise WalkNotTaken
