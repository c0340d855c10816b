"""An alleged crime or intelligence that came up: its number in the force's own system and what was done, no more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from services.assignment.domain.people import Person
from services.assignment.domain.refusals import (
    DisclosureKindMissing,
    DisclosureNotOpened,
    DisclosureOpen,
    DisclosureSettled,
    DisclosureWithdrawn,
    NotByWhoOpenedIt,
    NothingRecorded,
    OnlyCoordinators,
    ReferenceWrong,
    SafeguardingTimeWrong,
    SafeguardingUnclear,
    WalkNotTaken,
)
from services.assignment.domain.walks import State, Walk
from shared.contracts.policy import DisclosureRules

CLOCK_AHEAD: Final = timedelta(minutes=5)
"""How far a phone's clock may be ahead of ours before what was done lies in the future."""
MOST_LETTERS: Final = 6
FEWEST_DIGITS: Final = 3
_REFERENCE: Final = re.compile(r"(?!.*[A-Z]{4})[A-Z0-9][A-Z0-9/.-]{3,23}")
"""No four letters in a row: a word begins there."""


class DisclosureKind(StrEnum):
    """In which of the force's systems it was recorded."""

    CRIME = "crime"
    INTELLIGENCE = "intelligence"


class Safeguarding(StrEnum):
    """What was done to make her, or others, safe. That nothing was needed is a decision too, and somebody's."""

    MADE_SAFE = "made-safe"
    RISK_ASSESSED = "risk-assessed"
    REFERRED = "referred"
    SPECIALIST_TOLD = "specialist-told"
    SUPERVISOR_TOLD = "supervisor-told"
    NONE_NEEDED = "none-needed"


class Signpost(StrEnum):
    """Where else she was told she can turn."""

    HOW_TO_REPORT = "how-to-report"
    VICTIM_SUPPORT = "victim-support"
    DOMESTIC_ABUSE = "domestic-abuse"
    SEXUAL_VIOLENCE = "sexual-violence"
    HEALTH = "health"
    OTHER = "other"
    NONE_WANTED = "none-wanted"


class Mistake(StrEnum):
    """Why one is taken back."""

    OPENED_BY_MISTAKE = "opened-by-mistake"
    RECORDED_TWICE = "recorded-twice"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """That there was one, and what was done. There is no field for what was said, and none that could hold it."""

    force_id: str
    id: UUID
    walk_id: UUID | None
    """None once every woman of the walk was erased."""
    opened_at: datetime
    opened_by: str
    due_at: datetime
    kind: DisclosureKind | None = None
    reference: str | None = None
    """The crime or intelligence report's number in the force's own system."""
    safeguarding: tuple[Safeguarding, ...] = ()
    safeguarded_at: datetime | None = None
    safeguarded_by: str | None = None
    signposted: tuple[Signpost, ...] = ()
    recorded_at: datetime | None = None
    recorded_by: str | None = None
    overdue_at: datetime | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_because: Mistake | None = None

    @property
    def is_unsettled(self) -> bool:
        """Whether reference or safeguarding are still to be recorded: until then its walk is not closed."""
        return self.withdrawn_at is None and (self.reference is None or not self.safeguarding)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody records; what is left out stays as it was. Times are UTC."""

    kind: DisclosureKind | None = None
    reference: str | None = None
    safeguarding: tuple[Safeguarding, ...] = ()
    safeguarded_at: datetime | None = None
    safeguarded_by: str | None = None
    """Who did it; whoever records it, where nobody is named."""
    signposted: tuple[Signpost, ...] = ()


def walked_by(walk: Walk, officer_id: str) -> bool:
    """Whether this is an officer of the walk."""
    return officer_id in walk.officer_ids


def may_see(found: Disclosure, walk: Walk | None, by: Person) -> bool:
    """Whether this person may know of it: officers of the walk, who opened it, coordinators and auditors, and none of
    them whom a woman of the walk excludes."""
    if walk is not None and (
        walk.excludes_officer(by.id) or (not by.is_coordinator and walk.excludes_team(by.team_id))
    ):
        return False
    return by.is_auditor or may_record(found, walk, by)


def may_record(found: Disclosure, walk: Walk | None, by: Person) -> bool:
    """Whether it is for this person, who may see it, to say what was done: an auditor only looks."""
    if by.is_coordinator or found.opened_by == by.id:
        return True
    return walk is not None and walked_by(walk, by.id)


def open_disclosure(
    walk: Walk, standing: Sequence[Disclosure], id_: UUID, by: str, rules: DisclosureRules, now: datetime
) -> Disclosure:
    """One for this walk; the one that is open already, if there is.

    Whatever became of the walk meanwhile: she may speak before it, on it, and years after.

    :raises WalkNotTaken: no officer has been with her yet.
    """
    if walk.state in (State.TRIAGE, State.ROUTED):
        raise WalkNotTaken
    for each in standing:
        if each.is_unsettled:
            return each
    due_at = now + timedelta(hours=rules.record_within_hours)
    return Disclosure(walk.force_id, id_, walk.id, opened_at=now, opened_by=by, due_at=due_at)


def record_disclosure(found: Disclosure, given: Given, by: str, now: datetime) -> Disclosure:
    """Reference, safeguarding and signposting, at once or one after the other. A slip is set right, nothing is emptied.

    :raises DisclosureWithdrawn: it was taken back.
    :raises NothingRecorded, ReferenceWrong, DisclosureKindMissing, SafeguardingUnclear, SafeguardingTimeWrong: what was
        entered cannot be right.
    """
    if found.withdrawn_at is not None:
        raise DisclosureWithdrawn
    if not (given.reference or given.safeguarding or given.signposted):
        raise NothingRecorded
    recorded = replace(found, recorded_at=now, recorded_by=by)
    if given.reference:
        if given.kind is None:
            raise DisclosureKindMissing
        recorded = replace(recorded, kind=given.kind, reference=reference_of(given.reference))
    if given.safeguarding:
        done = tuple(each for each in Safeguarding if each in given.safeguarding)
        if Safeguarding.NONE_NEEDED in done and len(done) > 1:
            raise SafeguardingUnclear
        if given.safeguarded_at is None or given.safeguarded_at > now + CLOCK_AHEAD:
            raise SafeguardingTimeWrong
        recorded = replace(
            recorded,
            safeguarding=done,
            safeguarded_at=given.safeguarded_at,
            safeguarded_by=given.safeguarded_by or by,
        )
    if given.signposted:
        recorded = replace(recorded, signposted=tuple(each for each in Signpost if each in given.signposted))
    return recorded


def reference_of(text: str) -> str:
    """The number as it is kept: capitals, no spaces.

    :raises ReferenceWrong: it cannot be a number of the force's systems; what was said would not fit either.
    """
    kept = "".join(text.split()).upper()
    letters = sum(character.isalpha() for character in kept)
    digits = sum(character.isdigit() for character in kept)
    if not _REFERENCE.fullmatch(kept) or letters > MOST_LETTERS or digits < FEWEST_DIGITS:
        raise ReferenceWrong
    return kept


def withdraw_disclosure(found: Disclosure, because: Mistake, by: Person, now: datetime) -> Disclosure:
    """A coordinator takes back one that is none. Not whoever opened it: nobody closes a walk past it alone.

    :raises OnlyCoordinators, NotByWhoOpenedIt, DisclosureWithdrawn, DisclosureSettled: it stands.
    """
    if not by.is_coordinator:
        raise OnlyCoordinators
    if found.withdrawn_at is not None:
        raise DisclosureWithdrawn
    if found.reference is not None or found.safeguarding or found.signposted:
        raise DisclosureSettled
    if found.opened_by == by.id:
        raise NotByWhoOpenedIt
    return replace(found, withdrawn_at=now, withdrawn_by=by.id, withdrawn_because=because)


class Stands(Protocol):
    """As much of one as the decision to close a walk needs: not what was recorded."""

    @property
    def is_unsettled(self) -> bool:
        """Whether reference or safeguarding are still to be recorded."""

    @property
    def withdrawn_at(self) -> datetime | None:
        """When it was taken back."""


@dataclass(frozen=True, slots=True)
class Stand:
    """That there is one, and how far it is."""

    is_unsettled: bool
    withdrawn_at: datetime | None


def refuse_closing(standing: Sequence[Stands], disclosed: bool | None) -> None:
    """The one decision whether a walk may be closed; every way by which a walk is closed asks it.

    `disclosed` is what the officer answers, None where nobody could be asked.

    :raises DisclosureOpen: reference or safeguarding are still to be recorded.
    :raises DisclosureNotOpened: something was disclosed, and nothing was recorded of it.
    """
    if any(each.is_unsettled for each in standing):
        raise DisclosureOpen
    if disclosed and all(each.withdrawn_at is not None for each in standing):
        raise DisclosureNotOpened
