"""Officers of a register, people who ask, and the one decision who may walk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.assignment.domain.areas import Located
from services.assignment.domain.availability import Absence
from services.assignment.domain.refusals import (
    KindNotAllowed,
    MayNotWalk,
    NotOfThisTeam,
    NotTrained,
    OfficerAway,
    OfficerExcluded,
    OfficerOff,
    TrainingExpired,
)
from services.assignment.domain.walks import State, Walk
from shared.contracts.kinds import OfficerKind
from shared.contracts.policy import WalkRules
from shared.contracts.refusals import Refusal
from shared.working_days import day


class Source(StrEnum):
    """Who last wrote an entry of the register: the force's file, people (pages, spreadsheet), the identity provider."""

    FILE = "file"
    REGISTER = "register"
    SCIM = "scim"


@dataclass(frozen=True, slots=True)
class Officer:
    """An officer on the force's register; `trained_on` is None until trained in all that the policy asks for.

    `team_id` is the officer's own team, `team_ids` all teams they walk for, their own among them. `trained_until` is
    the last day on which the training counts, None where it does not expire; `trained_elsewhere_on` a session that is
    not recorded here. `absences` are days away, past ones perhaps among them.
    """

    force_id: str
    id: str
    name: str
    kind: OfficerKind
    team_id: str
    team_ids: frozenset[str]
    trained_on: date | None
    trained_until: date | None = None
    active: bool = True
    languages: tuple[str, ...] = ()
    """Beside English."""
    absences: tuple[Absence, ...] = ()
    trained_elsewhere_on: date | None = None
    email: str | None = None
    source: Source = Source.FILE

    def is_away(self, on: date) -> bool:
        """Whether the officer is away on that day."""
        return any(absence.covers(on) for absence in self.absences)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: an officer, a coordinator or both. Teams as the register has them, else as the sign-in says."""

    force_id: str
    id: str
    is_coordinator: bool
    team_id: str | None
    team_ids: frozenset[str]
    officer: Officer | None
    is_auditor: bool = False

    def may_see(self, walk: Walk) -> bool:
        """Whether this person may know of the walk. A coordinator whom she excludes by name may not either."""
        if walk.excludes_officer(self.id):
            return False
        return self.is_coordinator or walk.is_shown_to(self.id, self.team_id, self.team_ids)


def what_stops(officer: Officer, rules: WalkRules, today: date, on: date | None = None) -> tuple[MayNotWalk, ...]:
    """All that keeps this officer from walking: on a day, or at all as things stand today."""
    found: list[MayNotWalk] = []
    if not officer.active:
        found.append(OfficerOff())
    if officer.kind not in rules.officers:
        found.append(KindNotAllowed())
    if officer.trained_on is None or officer.trained_on > (on or today):
        found.append(NotTrained())
    elif officer.trained_until is not None and officer.trained_until < (on or today):
        found.append(TrainingExpired())
    if on is not None and officer.is_away(on):
        found.append(OfficerAway())
    return tuple(found)


def refuse_who_may_not_walk(
    officer: Officer, walk: Walk, located: Located, rules: WalkRules, now: datetime, at: datetime | None = None
) -> None:
    """The one decision who may walk; every way by which an officer comes to a walk, or a walk to a time, asks it.

    `at` is the moment of the walk (UTC), that of an arranged walk where it is left out. Without one it is judged as of
    today, and days away do not matter yet.

    :raises NotOfThisTeam, OfficerExcluded, MayNotWalk: why this officer may not.
    """
    if located.team_id not in officer.team_ids:
        raise NotOfThisTeam
    if walk.excludes_officer(officer.id) or walk.excludes_team(officer.team_id):
        raise OfficerExcluded
    at = at or (walk.starts_at if walk.state is State.ARRANGED else None)
    for reason in what_stops(officer, rules, day(now), day(at) if at else None):
        raise reason


def may_walk(officer: Officer, walk: Walk, rules: WalkRules, now: datetime, at: datetime | None = None) -> bool:
    """Whether this officer may be given this walk, at this moment (UTC) where one is known."""
    if walk.located is None:
        return False
    try:
        refuse_who_may_not_walk(officer, walk, walk.located, rules, now, at)
    except Refusal:
        return False
    return True


def may_walk_then(officer: Officer | None, rules: WalkRules, now: datetime, at: datetime | None) -> bool:
    """Whether an officer who has a walk in hand may still hold it, at this moment where one is known."""
    return officer is not None and not what_stops(officer, rules, day(now), day(at) if at else None)
