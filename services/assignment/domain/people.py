"""Officers of a register, people who ask, and the one decision who may walk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.assignment.domain.areas import Located
from services.assignment.domain.refusals import KindNotAllowed, NotOfThisTeam, NotTrained, OfficerExcluded
from services.assignment.domain.walks import Walk
from shared.contracts.kinds import OfficerKind
from shared.contracts.policy import WalkRules
from shared.contracts.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Officer:
    """An officer on the force's register; `trained_on` is None until the training session.

    `team_id` is the officer's own team, `team_ids` all teams they walk for, their own among them.
    """

    force_id: str
    id: str
    name: str
    kind: OfficerKind
    team_id: str
    team_ids: frozenset[str]
    trained_on: date | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: an officer, a coordinator or both. Teams as the register has them, else as the sign-in says."""

    force_id: str
    id: str
    is_coordinator: bool
    team_id: str | None
    team_ids: frozenset[str]
    officer: Officer | None

    def may_see(self, walk: Walk) -> bool:
        """Whether this person may know of the walk. A coordinator whom she excludes by name may not either."""
        if walk.excludes_officer(self.id):
            return False
        return self.is_coordinator or walk.is_shown_to(self.id, self.team_id, self.team_ids)


def refuse_who_may_not_walk(officer: Officer, walk: Walk, located: Located, rules: WalkRules) -> None:
    """The one decision who may walk; every way by which an officer comes to a walk asks it.

    :raises NotOfThisTeam, OfficerExcluded, KindNotAllowed, NotTrained: why this officer may not.
    """
    if located.team_id not in officer.team_ids:
        raise NotOfThisTeam
    if walk.excludes_officer(officer.id) or walk.excludes_team(officer.team_id):
        raise OfficerExcluded
    if officer.kind not in rules.officers:
        raise KindNotAllowed
    if officer.trained_on is None:
        raise NotTrained


def may_walk(officer: Officer, walk: Walk, rules: WalkRules) -> bool:
    """Whether this officer may be given this walk."""
    if walk.located is None:
        return False
    try:
        refuse_who_may_not_walk(officer, walk, walk.located, rules)
    except Refusal:
        return False
    return True
