"""What is noted while a walk is held, one thing at a time, and when of it is passed on.

What is noted and what partners are told are two things: a concern is passed only as the value its officer saw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.assignment.domain.record import CLOCK_SKEW, Completed, Concern, RecordedConcern, to_raise, told_of
from services.assignment.domain.referrals import Referral, ReferralState
from services.assignment.domain.refusals import (
    ConcernAlreadyPassed,
    ConcernAlreadyWithdrawn,
    ConcernChanged,
    ConcernNotedOtherwise,
    ConcernNotResolved,
    ConcernRemoved,
    EndsBeforeStart,
    EndsInTheFuture,
    NobodyCame,
    PhotoNotLookedAt,
    StartsInTheFuture,
    TimesMissing,
    TooManyConcerns,
    WalkAlreadyCompleted,
    WalkNotArranged,
)
from services.assignment.domain.walks import State, Walk, on_hand
from services.assignment.domain.words import shareable
from shared.contracts.concerns import ConcernRaised, ConcernReopened, ConcernWithdrawn
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.walks import ConcernsAttached
from shared.working_days import london

MOST_NOTED: Final = 50
SUGGESTS: Final = "She suggests: "


@dataclass(frozen=True, slots=True)
class Record:
    """What is said of a walk as a whole; None where it has not been said."""

    started_at: datetime | None = None
    ended_at: datetime | None = None
    route: tuple[Point, ...] = ()
    came: frozenset[UUID] | None = None
    """The requests whose women came."""
    strategy_discussed: bool | None = None
    streetsafe_shown: bool | None = None
    streetsafe_used: bool | None = None
    signposted: bool | None = None
    sticker_handed_over: bool | None = None
    """Whether a survey sticker was handed over: never which."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an officer notes of a concern."""

    category: Reason
    place: Point
    place_name: str | None = None
    time_of_day: PartOfDay | None = None
    severity: Severity = Severity.MEDIUM
    words: str | None = None
    suggests: str | None = None
    """What she suggests."""
    patrol_wanted: bool = False
    photo: str | None = None
    """The digest of the photograph."""
    photo_looked_at: bool = False
    """Whether the officer looked at it for faces and number plates."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A concern as it stands on the record; `said` None once it was taken off."""

    force_id: str
    id: UUID
    walk_id: UUID
    said: Said | None
    sent: str
    """The digest of what was sent first: by it the same concern sent again is known, corrected or not."""
    noted_at: datetime
    noted_by: str
    changed_at: datetime | None = None
    passed_at: datetime | None = None

    @property
    def may_change(self) -> bool:
        """Whether it stands on the record and nobody was told of it."""
        return self.said is not None and self.passed_at is None


def may_be_noted_on(walk: Walk) -> None:
    """Refuse what is noted on a walk that has not been arranged.

    :raises WalkAlreadyCancelled, WalkNotTaken, WalkNotArranged:
    """
    if walk.state is State.COMPLETED:
        return
    on_hand(walk)
    if walk.state is not State.ARRANGED:
        raise WalkNotArranged


def start(walk: Walk, record: Record, at: datetime, now: datetime) -> Record:
    """The walk begins; the first moment told stands, until somebody corrects it.

    :raises StartsInTheFuture:
    """
    _open(walk)
    if at > now + CLOCK_SKEW:
        raise StartsInTheFuture
    return record if record.started_at else replace(record, started_at=at)


def end(walk: Walk, record: Record, at: datetime, now: datetime) -> Record:
    """The walk ends; the first moment told stands.

    :raises EndsInTheFuture, EndsBeforeStart:
    """
    _open(walk)
    if at > now + CLOCK_SKEW:
        raise EndsInTheFuture
    if record.started_at and at <= record.started_at:
        raise EndsBeforeStart
    return record if record.ended_at else replace(record, ended_at=at)


def say(walk: Walk, record: Record, now: datetime) -> Record:
    """What is said of the walk as a whole, in place of what was said before.

    :raises EndsBeforeStart, EndsInTheFuture, StartsInTheFuture, NobodyCame: what was entered cannot be right.
    """
    _open(walk)
    if record.started_at and record.started_at > now + CLOCK_SKEW:
        raise StartsInTheFuture
    if record.ended_at and record.ended_at > now + CLOCK_SKEW:
        raise EndsInTheFuture
    if record.started_at and record.ended_at and record.ended_at <= record.started_at:
        raise EndsBeforeStart
    if record.came is not None:
        came = record.came & set(walk.request_ids)
        if not came:
            raise NobodyCame
        return replace(record, came=came)
    return record


def note(
    walk: Walk, known: Noted | None, concern_id: UUID, said: Said, by: str, noted: int, now: datetime
) -> Noted | None:
    """A concern is noted under an id its sender made; None where it was noted so before, however often it is sent.

    `noted`: how many stand on this record.

    :raises ConcernNotedOtherwise, ConcernRemoved, TooManyConcerns, WordsTooLong, PhotoNotLookedAt:
    """
    sent = _digest_of(said)
    if known is not None:
        if known.walk_id != walk.id or (known.said is not None and known.sent != sent):
            raise ConcernNotedOtherwise
        if known.said is None:
            raise ConcernRemoved
        return None
    may_be_noted_on(walk)
    if noted >= MOST_NOTED:
        raise TooManyConcerns
    return Noted(walk.force_id, concern_id, walk.id, _fit(said), sent, now, by)


def correct(known: Noted, said: Said, now: datetime) -> Noted:
    """A concern that nobody was told of is noted otherwise.

    :raises ConcernRemoved, ConcernAlreadyPassed, WordsTooLong, PhotoNotLookedAt:
    """
    _refuse_settled(known)
    return replace(known, said=_fit(said), changed_at=now)


def remove(walk: Walk, known: Noted | None, concern_id: UUID, by: str, now: datetime) -> Noted:
    """A concern is taken off the record, with all that was said of it. What arrives under its id later does not stand.

    :raises ConcernNotedOtherwise, ConcernAlreadyPassed:
    """
    if known is None:
        return Noted(walk.force_id, concern_id, walk.id, None, "", now, by)
    if known.walk_id != walk.id:
        raise ConcernNotedOtherwise
    if known.passed_at is not None:
        raise ConcernAlreadyPassed
    return replace(known, said=None, sent="", changed_at=now)


def recorded(said: Said) -> RecordedConcern:
    """Of what was noted, what partners would be told: no photograph, no patrol."""
    words = [said.words or "", f"{SUGGESTS}{said.suggests}" if said.suggests else ""]
    return RecordedConcern(
        category=said.category,
        place=said.place,
        place_name=said.place_name,
        time_of_day=said.time_of_day,
        severity=said.severity,
        words="\n\n".join(filter(None, words)) or None,
    )


def preview(walk: Walk, record: Record, noted: Sequence[Noted], now: datetime) -> tuple[ConcernRaised, ...]:
    """What partners would be told of each concern nobody was told of yet."""
    located = walk.located
    if located is None:
        return ()
    return tuple(
        told_of(to_raise(walk, one.id, recorded(one.said), _day(walk, record, now)), located)
        for one in noted
        if one.may_change and one.said is not None
    )


def seen(event: ConcernRaised) -> str:
    """By what the officer's look at a concern is known: it changes with anything a partner would be told."""
    return hashlib.sha256(event.model_dump_json().encode()).hexdigest()


def chosen(noted: Sequence[Noted], ids: Collection[UUID]) -> list[Noted]:
    """Of what is noted, what is to be passed on.

    :raises ConcernChanged: one of them is not on the record any more, or was passed already.
    """
    found = [one for one in noted if one.id in ids and one.may_change]
    if len(found) != len(ids):
        raise ConcernChanged
    return found


def refuse_unseen(completed: Completed, looks: Mapping[UUID, str]) -> None:
    """Only what the officer saw goes on its way.

    :raises ConcernChanged: what would be told is not what was seen.
    """
    for event in completed.events:
        if isinstance(event, ConcernRaised) and looks.get(event.concern_id) != seen(event):
            raise ConcernChanged


def times(record: Record) -> tuple[datetime, datetime]:
    """From when to when.

    :raises TimesMissing:
    """
    if record.started_at is None or record.ended_at is None:
        raise TimesMissing
    return record.started_at, record.ended_at


def pass_on(walk: Walk, record: Record, noted: Sequence[Noted], now: datetime) -> Completed:
    """Concerns of a walk that is closed are told, and those who know the request are told which they are.

    :raises WalkNotArranged: the walk is not closed: they are told with it.
    """
    if walk.state is not State.COMPLETED or walk.located is None:
        raise WalkNotArranged
    concerns = tuple(
        to_raise(walk, one.id, recorded(one.said), _day(walk, record, now)) for one in noted if one.said is not None
    )
    if not concerns:
        return Completed(walk)
    attached = ConcernsAttached(
        walk_id=walk.id, request_ids=walk.request_ids, concern_ids=tuple(concern.id for concern in concerns)
    )
    return Completed(walk, (*(told_of(concern, walk.located) for concern in concerns), attached), concerns)


def withdraw(concern: Concern, now: datetime) -> tuple[Concern, ConcernWithdrawn]:
    """The team takes a concern back: nobody need act on it.

    :raises ConcernAlreadyWithdrawn:
    """
    if concern.withdrawn_at is not None:
        raise ConcernAlreadyWithdrawn
    return replace(concern, withdrawn_at=now), ConcernWithdrawn(concern_id=concern.id)


def reopen(concern: Concern, referrals: Sequence[Referral], now: datetime) -> tuple[Concern, ConcernReopened]:
    """A partner called it resolved; the team has looked, and it is not.

    :raises ConcernAlreadyWithdrawn, ConcernNotResolved:
    """
    if concern.withdrawn_at is not None:
        raise ConcernAlreadyWithdrawn
    if not is_resolved(concern, referrals):
        raise ConcernNotResolved
    return replace(concern, reopened_at=now), ConcernReopened(concern_id=concern.id)


def is_resolved(concern: Concern, referrals: Sequence[Referral]) -> bool:
    """Whether a partner called it resolved since the team last said that it is not."""
    return any(
        referral.concern_id == concern.id
        and referral.state in (ReferralState.DONE, ReferralState.NOTHING_MORE)
        and (concern.reopened_at is None or referral.told_at > concern.reopened_at)
        for referral in referrals
    )


def _open(walk: Walk) -> None:
    if walk.state is State.COMPLETED:
        raise WalkAlreadyCompleted
    may_be_noted_on(walk)


def _refuse_settled(known: Noted) -> None:
    if known.said is None:
        raise ConcernRemoved
    if known.passed_at is not None:
        raise ConcernAlreadyPassed


def _fit(said: Said) -> Said:
    shareable(recorded(said).words)
    if said.photo is not None and not said.photo_looked_at:
        raise PhotoNotLookedAt
    return said


def _day(walk: Walk, record: Record, now: datetime) -> date:
    return london(walk.started_at or record.started_at or now).date()


def _digest_of(said: Said) -> str:
    content = "\0".join(
        str(part)
        for part in (
            said.category,
            said.place.latitude,
            said.place.longitude,
            said.place_name,
            said.time_of_day,
            said.severity,
            said.words,
            said.suggests,
            said.patrol_wanted,
            said.photo,
        )
    )
    return hashlib.sha256(content.encode()).hexdigest()
