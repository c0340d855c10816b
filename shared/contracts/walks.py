"""`walks.v1`, written by assignment: what becomes of a walk. One walk has one to many requests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar, Final
from uuid import UUID

from pydantic import AfterValidator, Field

from shared.contracts.envelope import Event, Instant, ShortText, Slug
from shared.contracts.kinds import OfficerKind, PartOfDay

TOPIC = "walks.v1"
Requests = Annotated[tuple[UUID, ...], Field(min_length=1)]


def _ascending(times: tuple[datetime, ...]) -> tuple[datetime, ...]:
    return tuple(sorted(set(times)))


MOST_TIMES: Final = 5
Times = Annotated[tuple[Instant, ...], Field(min_length=1, max_length=MOST_TIMES), AfterValidator(_ascending)]
"""Some moments, the earliest first and each once, however they were written."""


class RoutedBy(StrEnum):
    """Why this area: the boundary covers the place, it is the nearest within 200 m, or a person chose."""

    COVERS = "covers"
    NEAREST = "nearest"
    COORDINATOR = "coordinator"


class WalkEvent(Event):
    """Every event of a walk names the walk and the requests it answers."""

    topic: ClassVar[str] = TOPIC

    walk_id: UUID
    request_ids: Requests

    @property
    def key(self) -> UUID:
        return self.walk_id


class WalkRouted(WalkEvent):
    """The neighbourhood team that is to arrange the walk is known."""

    name: ClassVar[str] = "walk-routed"

    area_id: Slug
    team_id: Slug
    routed_by: RoutedBy
    boundary_version: str
    distance_m: float = 0.0
    """How far outside the area the place lies, metres; 0 inside."""


class WalkReturned(WalkEvent):
    """Nobody has the walk any more: a coordinator has to choose a team. What was proposed or agreed has lapsed."""

    name: ClassVar[str] = "walk-returned"


class WalkTaken(WalkEvent):
    """A trained officer has taken the request on, and may now contact her."""

    name: ClassVar[str] = "walk-taken"

    officer_id: Slug
    team_id: Slug


class WalkProposed(WalkEvent):
    """Times the officer could walk, for her to choose from; replaces what was proposed for this walk before."""

    name: ClassVar[str] = "walk-proposed"
    without_words: ClassVar[Mapping[str, str | None]] = MappingProxyType({"meeting_place": "(erased)"})

    proposal_id: UUID
    officer_id: Slug
    team_id: Slug
    times: Times
    meeting_place: ShortText
    answer_by: Instant
    """Until when she can choose; an answer that comes later has no effect."""


class WalkArranged(WalkEvent):
    """Time and meeting place are agreed."""

    name: ClassVar[str] = "walk-arranged"
    without_words: ClassVar[Mapping[str, str | None]] = MappingProxyType({"meeting_place": "(erased)"})

    officer_id: Slug
    team_id: Slug
    starts_at: Instant
    meeting_place: ShortText


class WalkRearranged(WalkArranged):
    """An arranged walk has another time or meeting place now; told instead of WalkArranged."""

    name: ClassVar[str] = "walk-rearranged"

    before: Instant
    """When it was to start until now; the same as `starts_at` where only the meeting place is new."""


class WalkCancelled(WalkEvent):
    """The walk will not take place."""

    name: ClassVar[str] = "walk-cancelled"

    reason: Slug


class WhyNotHeld(StrEnum):
    """Why an arranged walk did not take place. A closed list: what officers would write could say who she is."""

    SHE_DID_NOT_COME = "she-did-not-come"
    OFFICER_COULD_NOT = "officer-could-not"
    WEATHER = "weather"
    OTHER = "other"


class WhatNext(StrEnum):
    """What becomes of a walk that was not held: its officer arranges it again, another may take it, or it is over."""

    AGAIN = "again"
    QUEUE = "queue"
    CLOSE = "close"


class WalkNotHeld(WalkEvent):
    """The arranged walk did not take place; its time stands no longer.

    WalkRouted follows where another officer may take it, WalkCancelled where it is over.
    """

    name: ClassVar[str] = "walk-not-held"

    officer_id: Slug
    team_id: Slug
    starts_at: Instant
    """When it was to start."""
    why: WhyNotHeld
    what_next: WhatNext


class WalkCompleted(WalkEvent):
    """The walk was held."""

    name: ClassVar[str] = "walk-completed"

    area_id: Slug
    team_id: Slug
    officer_id: Slug
    officer_kind: OfficerKind
    started_at: Instant
    ended_at: Instant
    concern_ids: tuple[UUID, ...] = ()
    """Concerns recorded on it, so that those who know the request can tell her what became of them."""
    streetsafe_shown: bool = False


class ConcernsAttached(WalkEvent):
    """Concerns recorded after the walk was closed."""

    name: ClassVar[str] = "concerns-attached"

    concern_ids: Annotated[tuple[UUID, ...], Field(min_length=1)]


class FollowUpOutcome(StrEnum):
    REACHED = "reached"
    NOT_REACHED = "not-reached"
    DECLINED = "declined"


class FollowUpHandedOver(Event):
    """The call or visit is another officer's now, who may open her contact card until it is over."""

    name: ClassVar[str] = "follow-up-handed-over"
    topic: ClassVar[str] = TOPIC

    follow_up_id: UUID
    request_id: UUID
    officer_id: Slug | None = None
    """None where a coordinator sees to it."""

    @property
    def key(self) -> UUID:
        return self.follow_up_id


class FollowUpCompleted(Event):
    """The call or visit that was wanted has been made, or given up with a reason."""

    name: ClassVar[str] = "follow-up-completed"
    topic: ClassVar[str] = TOPIC

    follow_up_id: UUID
    request_id: UUID
    contact_id: UUID
    outcome: FollowUpOutcome
    in_time: bool

    @property
    def key(self) -> UUID:
        return self.follow_up_id


class PatrolKind(StrEnum):
    """How a patrol goes."""

    FOOT = "foot"
    CYCLE = "cycle"


class PatrolEvent(Event):
    """Every event of a patrol names it."""

    topic: ClassVar[str] = TOPIC

    patrol_id: UUID

    @property
    def key(self) -> UUID:
        return self.patrol_id


class PatrolLogged(PatrolEvent):
    """Officers, or allies of theirs, were seen there. Carries neither who they were nor what they heard."""

    name: ClassVar[str] = "patrol-logged"

    area_id: Slug
    kind: PatrolKind
    on: date
    """The day it began, Europe/London."""
    part: PartOfDay
    """The part of the day in which most of it lay."""
    minutes: Annotated[int, Field(ge=1, le=1440)]
    concern_ids: tuple[UUID, ...] = ()
    """Concerns because of which they were there."""


class PatrolWithdrawn(PatrolEvent):
    """What was logged of this patrol is not so. One that is corrected is withdrawn, and logged under another id."""

    name: ClassVar[str] = "patrol-withdrawn"


EVENTS: tuple[type[Event], ...] = (
    WalkRouted,
    WalkReturned,
    WalkTaken,
    WalkProposed,
    WalkArranged,
    WalkRearranged,
    WalkCancelled,
    WalkNotHeld,
    WalkCompleted,
    ConcernsAttached,
    FollowUpHandedOver,
    FollowUpCompleted,
    PatrolLogged,
    PatrolWithdrawn,
)
