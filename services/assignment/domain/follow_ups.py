"""Calls, visits and reviews that an officer or a coordinator still has to make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.assignment.domain.people import Officer, Person, refuse_who_may_not_walk
from services.assignment.domain.refusals import (
    FollowUpAlreadyCompleted,
    NotYourFollowUp,
    OfficerOff,
    OutcomeDoesNotFit,
    WalkNotRouted,
)
from services.assignment.domain.walks import Walk
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import Urgency
from shared.contracts.policy import ForcePolicy, WalkRules
from shared.contracts.walk_requests import ContactWanted
from shared.contracts.walks import FollowUpCompleted, FollowUpOutcome
from shared.working_days import due


class FollowUpKind(StrEnum):
    """Contact: a call or visit to her. Review: the team looks at a worrying answer that nobody is to be asked about."""

    CONTACT = "contact"
    REVIEW = "review"


REVIEWED: Final = "reviewed"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something an officer (or, where `officer_id` is None, a coordinator) has still to do, or has done."""

    force_id: str
    id: UUID
    kind: FollowUpKind
    urgency: Urgency
    opened_at: datetime
    due_at: datetime
    request_id: UUID | None = None
    contact_id: UUID | None = None
    walk_id: UUID | None = None
    officer_id: str | None = None
    reasons: tuple[str, ...] = ()
    overdue_at: datetime | None = None
    completed_at: datetime | None = None
    completed_by: str | None = None
    outcome: str | None = None
    reopened: int = 0
    """How often it was wanted again after it had been completed."""

    def is_overdue(self, now: datetime) -> bool:
        """Whether its day has passed and nobody has completed it."""
        return self.completed_at is None and self.due_at < now


def follow_up(walk: Walk, wanted: ContactWanted, follow_up_id: UUID, policy: ForcePolicy, now: datetime) -> FollowUp:
    """A call or visit for the officer who walked with her, or a coordinator where none did or she excludes them."""
    officer_id = walk.officer_id
    team_id = walk.located.team_id if walk.located else None
    if walk.excludes_officer(officer_id) or walk.excludes_team(team_id):
        officer_id = None
    return FollowUp(
        force_id=walk.force_id,
        id=follow_up_id,
        kind=FollowUpKind.CONTACT,
        urgency=wanted.urgency,
        opened_at=now,
        due_at=due(now, policy.follow_ups.within(wanted.urgency)),
        request_id=wanted.request_id,
        contact_id=wanted.contact_id,
        walk_id=walk.id,
        officer_id=officer_id,
    )


def want_again(found: FollowUp, walk: Walk, wanted: ContactWanted, policy: ForcePolicy, now: datetime) -> FollowUp:
    """Wanted once more: what is open takes it in, as urgent as the more urgent of the two and due no later; what was
    completed is open again, with a day of its own."""
    fresh = follow_up(walk, wanted, found.id, policy, now)
    if found.completed_at is not None:
        return replace(fresh, reopened=found.reopened + 1)
    urgency = Urgency.SAME_DAY if Urgency.SAME_DAY in (found.urgency, wanted.urgency) else Urgency.SOON
    return replace(found, urgency=urgency, due_at=min(found.due_at, fresh.due_at))


def hand_over(
    found: FollowUp, walk: Walk | None, officer: Officer | None, by: Person, rules: WalkRules, now: datetime
) -> FollowUp:
    """Somebody else sees to it: an officer who may walk with her, or, where none is named, a coordinator.

    :raises NotYourFollowUp, FollowUpAlreadyCompleted: it is not for whoever asks to pass on.
    :raises Refusal: the officer may not have it (refuse_who_may_not_walk says why).
    """
    if not by.is_coordinator and found.officer_id != by.id:
        raise NotYourFollowUp
    if found.completed_at is not None:
        raise FollowUpAlreadyCompleted
    if officer is None:
        return replace(found, officer_id=None)
    if walk is not None:
        if walk.located is None:
            raise WalkNotRouted
        refuse_who_may_not_walk(officer, walk, walk.located, rules, now)
    elif not officer.active:
        raise OfficerOff
    return replace(found, officer_id=officer.id)


def review(flagged: FeedbackFlagged, force_id: str, policy: ForcePolicy, now: datetime) -> FollowUp | None:
    """A team review where nobody may be contacted about a worrying answer; None where intake arranges the contact."""
    if flagged.contact is not None:
        return None
    return FollowUp(
        force_id=force_id,
        id=flagged.flag_id,
        kind=FollowUpKind.REVIEW,
        urgency=flagged.urgency,
        opened_at=now,
        due_at=due(now, policy.follow_ups.within(flagged.urgency)),
        reasons=flagged.reasons,
    )


def complete_follow_up(
    found: FollowUp, outcome: str, by: str, is_coordinator: bool, now: datetime
) -> tuple[FollowUp, FollowUpCompleted | None]:
    """The follow-up with its outcome, and what is told; a review concerns nobody, so nothing is told of it.

    :raises NotYourFollowUp, FollowUpAlreadyCompleted, OutcomeDoesNotFit:
    """
    if not is_coordinator and found.officer_id != by:
        raise NotYourFollowUp
    if found.completed_at is not None:
        raise FollowUpAlreadyCompleted
    done = replace(found, completed_at=now, completed_by=by, outcome=outcome)
    if found.kind is FollowUpKind.REVIEW:
        if outcome != REVIEWED:
            raise OutcomeDoesNotFit
        return done, None
    if outcome not in {each.value for each in FollowUpOutcome}:
        raise OutcomeDoesNotFit
    assert found.request_id is not None and found.contact_id is not None
    return done, FollowUpCompleted(
        follow_up_id=found.id,
        request_id=found.request_id,
        contact_id=found.contact_id,
        outcome=FollowUpOutcome(outcome),
        in_time=now <= found.due_at,
    )
