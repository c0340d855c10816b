"""Patrols on foot and by cycle: where and when they were, and what of it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.assignment.domain.areas import Area
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import (
    AreaUnknown,
    ConversationsWrong,
    EndsBeforeStart,
    EndsInTheFuture,
    HeardTooLong,
    NotYourPatrol,
    PatrolStands,
    PatrolTooLong,
    PatrolTooOld,
    PatrolWithdrawnAlready,
)
from services.assignment.domain.words import plain
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.walks import PatrolKind, PatrolLogged, PatrolWithdrawn
from shared.working_days import london

LONGEST: Final = timedelta(hours=12)
OLDEST: Final = timedelta(days=14)
"""How long ago a patrol may have been when it is logged."""
CORRECTABLE: Final = timedelta(days=1)
"""For how long what was logged may be set right or taken back: from then on others have counted it."""
CLOCK_AHEAD: Final = timedelta(minutes=5)
MOST_CONVERSATIONS: Final = 200
MOST_PLACES: Final = 10
LONGEST_HEARD: Final = 1000


@dataclass(frozen=True, slots=True)
class Logged:
    """What somebody says of a patrol; times are UTC."""

    kind: PatrolKind
    starts_at: datetime
    ends_at: datetime
    places: tuple[Point, ...] = ()
    concern_ids: tuple[UUID, ...] = ()
    conversations: int = 0
    heard: str | None = None


@dataclass(frozen=True, slots=True)
class Patrol:
    """A patrol as it stands; `team_id` is the team answerable for the area it was in."""

    force_id: str
    id: UUID
    area_id: str
    team_id: str
    said: Logged
    logged_at: datetime
    logged_by: str
    replaces: UUID | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None

    def may_be_seen_by(self, by: Person) -> bool:
        """Whether this person may read it: the team's own, who logged it, coordinators."""
        return by.is_coordinator or self.logged_by == by.id or self.team_id in by.team_ids

    def may_be_changed_by(self, by: Person, now: datetime) -> bool:
        """Whether this person may still set it right or take it back."""
        if self.withdrawn_at is not None or now > self.logged_at + CORRECTABLE:
            return False
        return by.is_coordinator or self.logged_by == by.id


@dataclass(frozen=True, slots=True)
class Wanted:
    """A concern because of which a patrol is wanted, and what came of that so far."""

    concern_id: UUID
    area_id: str
    team_id: str
    category: Reason
    place: Point
    place_name: str | None
    time_of_day: PartOfDay | None
    severity: Severity
    wanted_at: datetime
    patrols: int
    last_at: datetime | None


def log(
    id_: UUID, area: Area | None, said: Logged, by: Person, now: datetime, replaces: UUID | None = None
) -> tuple[Patrol, PatrolLogged]:
    """A patrol that was made, and what is told of it: neither who they were nor what they heard.

    :raises AreaUnknown, EndsBeforeStart, EndsInTheFuture, PatrolTooLong, PatrolTooOld, ConversationsWrong,
        HeardTooLong: what was entered cannot be right.
    """
    if area is None:
        raise AreaUnknown
    if said.ends_at - said.starts_at < timedelta(minutes=1):
        raise EndsBeforeStart
    if said.ends_at > now + CLOCK_AHEAD:
        raise EndsInTheFuture
    if said.ends_at - said.starts_at > LONGEST:
        raise PatrolTooLong
    if said.starts_at < now - OLDEST:
        raise PatrolTooOld
    if not 0 <= said.conversations <= MOST_CONVERSATIONS:
        raise ConversationsWrong
    heard = plain(said.heard or "")
    if len(heard) > LONGEST_HEARD:
        raise HeardTooLong
    said = replace(said, heard=heard or None, concern_ids=tuple(sorted(set(said.concern_ids))))
    patrol = Patrol(area.force_id, id_, area.id, area.team_id, said, now, by.id, replaces)
    return patrol, PatrolLogged(
        patrol_id=id_,
        area_id=area.id,
        kind=said.kind,
        on=london(said.starts_at).date(),
        part=part_of(said.starts_at, said.ends_at),
        minutes=_minutes(said.starts_at, said.ends_at),
        concern_ids=said.concern_ids,
    )


def withdraw(found: Patrol, by: Person, now: datetime) -> tuple[Patrol, PatrolWithdrawn]:
    """What was logged is not so; what was heard goes with it.

    :raises NotYourPatrol, PatrolWithdrawnAlready, PatrolStands: it is another's, was taken back, or is a day old.
    """
    if not by.is_coordinator and found.logged_by != by.id:
        raise NotYourPatrol
    if found.withdrawn_at is not None:
        raise PatrolWithdrawnAlready
    if now > found.logged_at + CORRECTABLE:
        raise PatrolStands
    withdrawn = replace(found, said=replace(found.said, heard=None), withdrawn_at=now, withdrawn_by=by.id)
    return withdrawn, PatrolWithdrawn(patrol_id=found.id)


def part_of(starts_at: datetime, ends_at: datetime) -> PartOfDay:
    """The part of the day in which most of it lay, by London's clocks; the earlier of two that are equal."""
    found: Counter[PartOfDay] = Counter()
    for number in range(_minutes(starts_at, ends_at)):
        hour = london(starts_at + timedelta(minutes=number)).hour
        found[PartOfDay.EARLY_MORNING if hour < 9 else PartOfDay.DAYTIME if hour < 17 else PartOfDay.EVENING] += 1
    return found.most_common(1)[0][0]


def _minutes(starts_at: datetime, ends_at: datetime) -> int:
    return int((ends_at - starts_at).total_seconds() // 60)


def wanted_of(chosen: Sequence[Wanted], concern_id: UUID | None) -> tuple[UUID, ...]:
    """The concern somebody comes from, where it is one of those that may be shown."""
    return tuple(each.concern_id for each in chosen if each.concern_id == concern_id)
