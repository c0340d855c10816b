"""The record of a walk that was held, and what was raised on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.assignment.domain.areas import Located
from services.assignment.domain.disclosures import Stands, refuse_closing
from services.assignment.domain.refusals import EndsBeforeStart, EndsInTheFuture, WalkNotArranged, WalkTooShort
from services.assignment.domain.walks import Changed, State, Walk, on_hand
from services.assignment.domain.words import LONGEST_NAME, plain, shareable
from shared.contracts.concerns import ConcernRaised
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.policy import WalkRules
from shared.contracts.walks import WalkCompleted
from shared.working_days import london

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far a phone's clock may be ahead of ours before an end counts as in the future."""


@dataclass(frozen=True, slots=True)
class RecordedConcern:
    """A concern as the officer records it; `words` only what was passed for sharing."""

    category: Reason
    place: Point
    place_name: str | None
    time_of_day: PartOfDay | None
    severity: Severity
    words: str | None


@dataclass(frozen=True, slots=True)
class Concern:
    """A concern raised on a walk."""

    force_id: str
    id: UUID
    walk_id: UUID
    category: Reason
    place: Point
    place_name: str | None
    time_of_day: PartOfDay | None
    severity: Severity
    words: str | None
    raised_on: date
    withdrawn_at: datetime | None = None
    reopened_at: datetime | None = None
    """When the team last said that it is not resolved."""


@dataclass(frozen=True, slots=True)
class Completed(Changed):
    """A walk that was held, with what was raised on it."""

    concerns: tuple[Concern, ...] = ()


def to_raise(walk: Walk, concern_id: UUID, given: RecordedConcern, raised_on: date) -> Concern:
    """A concern as it is raised: cleaned of markup, nothing added.

    :raises WordsTooLong: its words exceed 4,000 characters.
    """
    return Concern(
        force_id=walk.force_id,
        id=concern_id,
        walk_id=walk.id,
        category=given.category,
        place=given.place,
        place_name=plain(given.place_name or "")[:LONGEST_NAME] or None,
        time_of_day=given.time_of_day,
        severity=given.severity,
        words=shareable(given.words),
        raised_on=raised_on,
    )


def told_of(concern: Concern, located: Located) -> ConcernRaised:
    """What partners are told of a concern: the only place where that is made, for the preview and for the event."""
    return ConcernRaised(
        concern_id=concern.id,
        area_id=located.area_id,
        team_id=located.team_id,
        category=concern.category,
        place=concern.place,
        place_name=concern.place_name,
        time_of_day=concern.time_of_day,
        severity=concern.severity,
        words=concern.words,
        raised_on=concern.raised_on,
    )


def complete(
    walk: Walk,
    started_at: datetime,
    ended_at: datetime,
    streetsafe_shown: bool,
    recorded: Sequence[RecordedConcern],
    concern_ids: Sequence[UUID],
    rules: WalkRules,
    now: datetime,
    *,
    disclosures: Sequence[Stands],
    disclosed: bool | None,
) -> Completed:
    """The walk was held, perhaps earlier than arranged; each concern gets its id, in order.

    `disclosures` are all of the walk, `disclosed` is whether the officer says that there was one, None where nobody
    was asked.

    :raises DisclosureOpen, DisclosureNotOpened: what was disclosed comes first.
    :raises EndsBeforeStart, EndsInTheFuture, WalkTooShort, WordsTooLong: what was entered cannot be right.
    """
    located, officer_id, officer_kind = on_hand(walk)
    if walk.state is not State.ARRANGED:
        raise WalkNotArranged
    if ended_at <= started_at:
        raise EndsBeforeStart
    if ended_at > now + CLOCK_SKEW:
        raise EndsInTheFuture
    if ended_at - started_at < timedelta(minutes=rules.minimum_minutes):
        raise WalkTooShort(rules.minimum_minutes)
    refuse_closing(disclosures, disclosed)
    raised_on = london(started_at).date()
    concerns = tuple(
        to_raise(walk, concern_id, given, raised_on) for concern_id, given in zip(concern_ids, recorded, strict=True)
    )
    raised = tuple(told_of(concern, located) for concern in concerns)
    held = WalkCompleted(
        walk_id=walk.id,
        request_ids=walk.request_ids,
        area_id=located.area_id,
        team_id=located.team_id,
        officer_id=officer_id,
        officer_kind=officer_kind,
        started_at=started_at,
        ended_at=ended_at,
        concern_ids=tuple(concern.id for concern in concerns),
        streetsafe_shown=streetsafe_shown,
    )
    completed = replace(
        walk,
        proposal=None,
        state=State.COMPLETED,
        started_at=started_at,
        ended_at=ended_at,
        streetsafe_shown=streetsafe_shown,
    )
    return Completed(completed, (*raised, held), concerns)
