"""Who is asked what, which answers worry us, and what has changed: decisions alone, no input or output."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from shared.contracts.concerns import ConcernRaised
from shared.contracts.feedback import FeedbackFlagged, FeedbackReceived, SurveyInvited
from shared.contracts.kinds import Reason, SurveyName, Urgency
from shared.contracts.policy import SurveyRules
from shared.contracts.referrals import (
    ConcernResolved,
    ReferralAccepted,
    ReferralDeclined,
    ReferralEvent,
    ReferralUpdated,
    Resolution,
)
from shared.contracts.refusals import Refusal
from shared.contracts.surveys import Question, Survey
from shared.contracts.walks import WalkCompleted
from shared.working_days import london, month

CONTACT: Final = "contact-me"
DO_NOT_CONTACT: Final = "do-not-contact"
WANTS_CONTACT: Final = frozenset({"call", "visit"})


class AnswersInvalid(Refusal):
    """Some answers are not among those this survey gives."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__()
        self.fields = fields


class NothingAnswered(Refusal):
    """Answer at least one question before you send the survey."""


class NoSuchQuestion(Refusal):
    """This survey has no such question."""


# Invitations


class Invitation(NamedTuple):
    """The women of one walk are asked once."""

    force_id: str
    area_id: str
    women: int
    month: str
    event: SurveyInvited


def invite(walk: WalkCompleted, force_id: str, rules: SurveyRules, invitation_id: UUID) -> Invitation:
    """Ask the women of a completed walk, as long after it as the force has chosen."""
    return Invitation(
        force_id=force_id,
        area_id=walk.area_id,
        women=len(walk.request_ids),
        month=month(walk.ended_at),
        event=SurveyInvited(
            invitation_id=invitation_id,
            walk_id=walk.walk_id,
            survey=SurveyName.AFTER_WALK,
            send_from=walk.ended_at + timedelta(hours=rules.invite_after_hours),
        ),
    )


# Answers and what worries us in them


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers under a random pair id, with no time finer than the month."""

    force_id: str
    survey: SurveyName
    pair_id: UUID
    version: int
    month: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer that worries us, and how soon somebody has to look."""

    reason: str
    question: str
    answers: frozenset[str]
    urgency: Urgency

    def fires(self, answers: Mapping[str, str]) -> bool:
        return answers.get(self.question) in self.answers


RULES: Final[Mapping[SurveyName, tuple[Rule, ...]]] = {
    SurveyName.AFTER_WALK: (
        Rule("very-unsafe-after-dark", "safe-after-dark", frozenset({"very-unsafe"}), Urgency.SOON),
        Rule("did-not-feel-safe-to-speak", "walk-felt-safe", frozenset({"strongly-disagree"}), Urgency.SOON),
        Rule("still-worried", "still-worried", frozenset({"yes"}), Urgency.SOON),
        Rule("asked-for-a-call", CONTACT, frozenset({"call"}), Urgency.SAME_DAY),
        Rule("asked-for-a-visit", CONTACT, frozenset({"visit"}), Urgency.SAME_DAY),
    ),
}
"""Answers before the walk raise no flag: that is what the walk is for."""


@dataclass(frozen=True, slots=True)
class Worry:
    """Why her answers worry us, and the most urgent of the reasons."""

    reasons: tuple[str, ...]
    urgency: Urgency


def worry(survey: SurveyName, answers: Mapping[str, str]) -> Worry | None:
    """What worries us in these answers, by the table of rules alone; None when nothing does."""
    fired = [rule for rule in RULES.get(survey, ()) if rule.fires(answers)]
    if not fired:
        return None
    urgent = any(rule.urgency is Urgency.SAME_DAY for rule in fired)
    return Worry(tuple(rule.reason for rule in fired), Urgency.SAME_DAY if urgent else Urgency.SOON)


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished survey: what is kept, and what is told. Nothing of one stands in another."""

    answered: Answered
    received: FeedbackReceived
    flagged: FeedbackFlagged | None


def finish(
    *,
    force_id: str,
    survey: Survey,
    pair_id: UUID,
    contact: str,
    answers: Mapping[str, str],
    now: datetime,
    new_id: Callable[[], UUID],
) -> Finished:
    """Take the answers of one link.

    `contact` is the sealed reference of her link; it goes with the flag unless she ticked "do not contact me".

    :raises AnswersInvalid: an answer is not one the survey gives, or a required one is missing.
    :raises NothingAnswered: there is no answer at all.
    """
    if wrong := survey.refuse(answers):
        raise AnswersInvalid(wrong)
    if not answers.keys() - {CONTACT} and answers.get(CONTACT) not in WANTS_CONTACT:
        raise NothingAnswered
    this_month = month(now)
    worried = worry(survey.name, answers)
    flagged = None
    if worried is not None:
        flagged = FeedbackFlagged(
            flag_id=new_id(),
            survey=survey.name,
            reasons=worried.reasons,
            urgency=worried.urgency,
            contact=None if answers.get(CONTACT) == DO_NOT_CONTACT else contact,
        )
    return Finished(
        Answered(force_id, survey.name, pair_id, survey.version, this_month, dict(answers)),
        FeedbackReceived(receipt_id=new_id(), survey=survey.name, month=this_month),
        flagged,
    )


def draft_id(key: bytes, force_id: str, survey: SurveyName, pair_id: UUID) -> bytes:
    """Where a survey that is not finished is kept: only who holds the link key can form it from a pair id."""
    return hmac.new(key, f"draft|{force_id}|{survey}|{pair_id}".encode(), hashlib.sha256).digest()


def first_unanswered(survey: Survey, answers: Mapping[str, str]) -> int:
    """The number of the question to go on with, counted from 1; one more than there are when none is left."""
    for number, question in enumerate(survey.questions, 1):
        if question.code not in answers:
            return number
    return len(survey.questions) + 1


def question_of(survey: Survey, number: int) -> Question:
    """A survey's question by its number, counted from 1.

    :raises NoSuchQuestion: it has fewer.
    """
    if not 1 <= number <= len(survey.questions):
        raise NoSuchQuestion
    return survey.questions[number - 1]


def next_night(now: datetime) -> datetime:
    """The next three o'clock in the morning, Europe/London, when answers are written anew in random order."""
    here = london(now)
    tonight = here.replace(hour=3, minute=0, second=0, microsecond=0)
    return (tonight if here < tonight else tonight + timedelta(days=1)).astimezone(now.tzinfo)


def previous_month(now: datetime) -> str:
    """The month before this one in London. Surveys begun before it are forgotten, and answers of it still mixed."""
    last_of_previous = london(now).date().replace(day=1) - timedelta(days=1)
    return f"{last_of_previous:%Y-%m}"


# Outcomes


@dataclass(frozen=True, slots=True)
class ReferralState:
    """How far a referral has come, in the partner's own terms."""

    force_id: str
    referral_id: UUID
    concern_id: UUID
    partner_id: str
    state: str


class Came(StrEnum):
    """How far a referral can have come; progress is told in words of its own."""

    REFERRED = "referred"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    DONE = "done"
    NOTHING_MORE = "nothing-more"


def referral_state(event: ReferralEvent, force_id: str) -> ReferralState:
    """How far a referral has come by this event."""
    match event:
        case ReferralAccepted():
            state: str = Came.ACCEPTED
        case ReferralDeclined():
            state = Came.DECLINED
        case ReferralUpdated():
            state = event.progress.value
        case ConcernResolved():
            state = Came.DONE if event.resolution is Resolution.DONE else Came.NOTHING_MORE
        case _:
            state = Came.REFERRED
    return ReferralState(force_id, event.referral_id, event.concern_id, event.partner_id, state)


@dataclass(frozen=True, slots=True)
class Concern:
    """A concern as far as it is counted: no words, no place finer than its area."""

    force_id: str
    concern_id: UUID
    area_id: str
    category: Reason
    raised_on: date


def count_concern(event: ConcernRaised, force_id: str) -> Concern:
    """What is kept of a concern."""
    return Concern(force_id, event.concern_id, event.area_id, event.category, event.raised_on)
