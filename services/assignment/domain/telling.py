"""What officers are told of their work, and when: at once or once a day, and never in their quiet hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.assignment.domain.refusals import WrongField
from services.assignment.domain.walks import Changed, ProposalAnswer, Walk
from shared.contracts.walks import WalkArranged, WalkCancelled, WalkNotHeld, WalkRouted, WalkTaken
from shared.working_days import LONDON, london

DAILY_AT: Final = time(8)
"""When those who want one message a day get it, by London clocks."""


class QuietHoursWrong(WrongField):
    """Enter both the beginning and the end of your quiet hours, or neither."""

    field = "quiet_from"


class Rhythm(StrEnum):
    """How often somebody is told."""

    AT_ONCE = "at-once"
    DAILY = "daily"
    NEVER = "never"


class News(StrEnum):
    """What happened to a walk."""

    WAITING = "waiting"
    GIVEN = "given"
    CHOSEN = "chosen"
    NONE_SUITS = "none-suits"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    ESCALATED = "escalated"
    NOT_BACK = "not-back"


@dataclass(frozen=True, slots=True)
class Choice:
    """How somebody wants to be told; `new_work`: of what waits for anybody as well. Quiet hours may pass midnight."""

    force_id: str
    person_id: str
    email: str
    rhythm: Rhythm
    quiet_from: time | None = None
    quiet_to: time | None = None
    new_work: bool = True
    is_coordinator: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """News of a walk for one person, or for everyone of its team (of its coordinators) who wants news of new work."""

    walk: Walk
    news: News
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person is still to be told, not before `due_at` (UTC)."""

    force_id: str
    id: UUID
    person_id: str
    walk_id: UUID
    news: News
    due_at: datetime


def choice(
    force_id: str,
    person_id: str,
    email: str,
    rhythm: Rhythm,
    quiet_from: time | None,
    quiet_to: time | None,
    *,
    new_work: bool,
    is_coordinator: bool,
) -> Choice:
    """A choice to keep.

    :raises QuietHoursWrong: only one end of the quiet hours was given.
    """
    if (quiet_from is None) != (quiet_to is None):
        raise QuietHoursWrong
    return Choice(force_id, person_id, email, rhythm, quiet_from, quiet_to, new_work, is_coordinator)


def due(chosen: Choice, now: datetime, news: News | None = None) -> datetime | None:
    """When news of now may leave (UTC); None where nobody wants them. That officers are not back waits for no hour."""
    if news is News.NOT_BACK and chosen.rhythm is not Rhythm.NEVER:
        return now
    match chosen.rhythm:
        case Rhythm.NEVER:
            return None
        case Rhythm.DAILY:
            return _next(DAILY_AT, now)
        case Rhythm.AT_ONCE:
            return _next(chosen.quiet_to, now) if chosen.quiet_to and _is_quiet(chosen, now) else now


def _is_quiet(chosen: Choice, now: datetime) -> bool:
    if chosen.quiet_from is None or chosen.quiet_to is None:
        return False
    clock = london(now).time()
    if chosen.quiet_from <= chosen.quiet_to:
        return chosen.quiet_from <= clock < chosen.quiet_to
    return clock >= chosen.quiet_from or clock < chosen.quiet_to


def _next(clock: time, now: datetime) -> datetime:
    """The next time London's clocks show this, as UTC."""
    there = london(now)
    at = datetime.combine(there.date(), clock, LONDON)
    if at.astimezone(UTC) <= now:
        at = datetime.combine(there.date() + timedelta(days=1), clock, LONDON)
    return at.astimezone(UTC)


def news_of(changed: Changed, by: str | None) -> Iterator[Told]:
    """Who is to be told what of a decision; nobody of what they did themselves. `by` None: she, or nobody, did it."""
    walk = changed.walk
    for event in changed.events:
        match event:
            case WalkRouted():
                yield Told(walk, News.WAITING)
            case WalkTaken():
                if event.officer_id != by:
                    yield Told(walk, News.GIVEN, event.officer_id)
            case WalkArranged():
                for id_ in walk.officer_ids:
                    if id_ != by:
                        yield Told(walk, News.CHOSEN if by is None else News.CHANGED, id_)
            case WalkNotHeld():
                for id_ in walk.officer_ids:
                    if id_ != by:
                        yield Told(walk, News.CHANGED, id_)
            case WalkCancelled():
                for id_ in walk.officer_ids:
                    if id_ != by:
                        yield Told(walk, News.CANCELLED, id_)
    proposal = walk.proposal
    if by is None and not changed.events and proposal is not None and isinstance(proposal.answer, ProposalAnswer):
        yield Told(walk, News.NONE_SUITS, walk.officer_id)


def may_be_told(
    walk: Walk, person_id: str, team_id: str | None, team_ids: frozenset[str], *, coordinates: bool
) -> bool:
    """Whether this person may know of the walk: nobody whom she excludes is told that there is one."""
    if walk.excludes_officer(person_id):
        return False
    return coordinates or walk.is_shown_to(person_id, team_id, team_ids)
