"""A walk: where it is in its life, whom it answers, and who may know of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.assignment.domain.areas import Located
from services.assignment.domain.refusals import WalkAlreadyCancelled, WalkAlreadyCompleted, WalkNotTaken
from services.assignment.domain.requests import Request
from shared.contracts.envelope import Event
from shared.contracts.kinds import OfficerKind, Point
from shared.contracts.walks import WhyNotHeld


class State(StrEnum):
    """Where a walk is in its life. Triage: a coordinator has to choose an area."""

    TRIAGE = "triage"
    ROUTED = "routed"
    TAKEN = "taken"
    ARRANGED = "arranged"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({State.COMPLETED, State.CANCELLED})


class TriageReason(StrEnum):
    """Why a person has to choose."""

    OUTSIDE_ALL_AREAS = "outside-all-areas"
    CONTACT_RULES = "contact-rules"


class ProposalAnswer(StrEnum):
    """What came of proposed times that did not become a walk. Not possible: she chose one that has gone since."""

    NONE_SUITS = "none-suits"
    NOT_POSSIBLE = "not-possible"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Times she can choose from (UTC, ascending), until when, and what came of it; open while `answer` is None."""

    id: UUID
    times: tuple[datetime, ...]
    meeting_place: str
    answer_by: datetime
    answer: ProposalAnswer | None = None
    chosen: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotHeld:
    """A time (UTC) at which the walk was arranged and not held, and why."""

    starts_at: datetime
    why: WhyNotHeld


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk answering one to many requests."""

    force_id: str
    id: UUID
    state: State
    place: Point
    requested_at: datetime
    arrange_by: datetime
    requests: tuple[Request, ...]
    triage_reason: TriageReason | None = None
    located: Located | None = None
    officer_id: str | None = None
    officer_kind: OfficerKind | None = None
    starts_at: datetime | None = None
    busy_until: datetime | None = None
    meeting_place: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    streetsafe_shown: bool = False
    cancel_reason: str | None = None
    proposal: Proposal | None = None
    second_id: str | None = None
    """The officer who comes along."""
    not_held: tuple[NotHeld, ...] = ()
    check_in_at: datetime | None = None
    """From when (UTC) the officers of an arranged walk are asked whether they are back; None once they are."""

    @property
    def officer_ids(self) -> tuple[str, ...]:
        """The officers who have it in hand, the one it was given to first."""
        return tuple(id_ for id_ in (self.officer_id, self.second_id) if id_ is not None)

    @property
    def request_ids(self) -> tuple[UUID, ...]:
        """The requests it answers: those not withdrawn, or all once none is left."""
        left = tuple(request.id for request in self.requests if request.withdrawn_at is None)
        return left or tuple(request.id for request in self.requests)

    @property
    def contact_stopped(self) -> bool:
        """Whether a woman of this walk, of those who have not withdrawn, has said that contact is no longer safe."""
        left = [request for request in self.requests if request.withdrawn_at is None]
        return any(request.contact.stopped for request in left or self.requests)

    def excludes_officer(self, officer_id: str | None) -> bool:
        """Whether a woman of this walk has excluded this officer."""
        return any(officer_id in request.contact.excluded_officers for request in self.requests)

    def excludes_team(self, team_id: str | None) -> bool:
        """Whether a woman of this walk has excluded this team."""
        return any(team_id in request.contact.excluded_teams for request in self.requests)

    def is_shown_to(self, officer_id: str, team_id: str | None, team_ids: frozenset[str]) -> bool:
        """Whether an officer of this team, who walks for these, may know of this walk.

        An excluded officer is told nothing at all: a refusal that said why would tell an abuser what she chose.
        """
        if self.located is None or self.excludes_officer(officer_id) or self.excludes_team(team_id):
            return False
        return officer_id in self.officer_ids or self.located.team_id in team_ids


@dataclass(frozen=True, slots=True)
class Changed:
    """What a decision made of a walk, and what is to be told."""

    walk: Walk
    events: tuple[Event, ...] = ()


def refuse_ended(walk: Walk) -> None:
    """A walk that is over stays as it is."""
    if walk.state is State.COMPLETED:
        raise WalkAlreadyCompleted
    if walk.state is State.CANCELLED:
        raise WalkAlreadyCancelled


def on_hand(walk: Walk) -> tuple[Located, str, OfficerKind]:
    """Area, officer and kind of a walk that an officer has in hand."""
    refuse_ended(walk)
    if walk.located is None or walk.officer_id is None or walk.officer_kind is None:
        raise WalkNotTaken
    return walk.located, walk.officer_id, walk.officer_kind
