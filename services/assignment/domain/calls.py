"""Attempts to call or visit a woman about whom a follow-up is wanted: only by ways her rules allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.assignment.domain.attempts import OUTCOMES, Outcome, VoicemailNotAllowed, WayNotAllowed
from services.assignment.domain.follow_ups import FollowUp, FollowUpKind
from services.assignment.domain.refusals import (
    AttemptTimeWrong,
    ContactStopped,
    FollowUpAlreadyCompleted,
    NobodyToContact,
    OutcomeDoesNotFit,
)
from shared.contracts.kinds import Channel
from shared.contracts.walk_requests import ContactRules

CLOCK_AHEAD: Final = timedelta(minutes=5)
"""How far a phone's clock may be ahead of ours before an attempt lies in the future."""


class Way(StrEnum):
    """How an officer tries: a call or a visit, or in writing where she allows neither."""

    PHONE = "phone"
    VISIT = "visit"
    TEXT = "text"
    EMAIL = "email"
    LETTER = "letter"


AT_THE_DOOR: Final = (Outcome.REACHED, Outcome.NO_ANSWER, Outcome.SOMEBODY_ELSE)


@dataclass(frozen=True, slots=True)
class Call:
    """Who tried to reach her when (UTC), how, and how it ended. There are no words."""

    force_id: str
    id: UUID
    follow_up_id: UUID
    at: datetime
    by_id: str
    way: Way
    outcome: Outcome


def ways(rules: ContactRules) -> tuple[Way, ...]:
    """How she may be tried, none once contact is no longer safe.

    Whoever opens the door sees that police came: a visit needs that we may say so, and that she lets us write to where
    she lives.
    """
    if rules.stopped:
        return ()
    found = {Way(channel.value) for channel in rules.channels}
    if rules.may_say_police and Channel.LETTER in rules.channels:
        found.add(Way.VISIT)
    return tuple(way for way in Way if way in found)


def outcomes(way: Way) -> tuple[Outcome, ...]:
    """How an attempt by this way can end."""
    return AT_THE_DOOR if way is Way.VISIT else OUTCOMES[Channel(way.value)]


def attempt(
    found: FollowUp,
    rules: ContactRules | None,
    id_: UUID,
    way: Way,
    outcome: Outcome,
    at: datetime,
    by_id: str,
    now: datetime,
) -> Call:
    """An attempt that was made at `at` (UTC); `rules` are hers as they stand, None where nobody is to be contacted.

    :raises NobodyToContact, FollowUpAlreadyCompleted, ContactStopped: nobody may try.
    :raises WayNotAllowed, OutcomeDoesNotFit, VoicemailNotAllowed, AttemptTimeWrong: what was entered cannot be right.
    """
    if found.kind is not FollowUpKind.CONTACT or rules is None:
        raise NobodyToContact
    if found.completed_at is not None:
        raise FollowUpAlreadyCompleted
    if rules.stopped:
        raise ContactStopped
    if way not in ways(rules):
        raise WayNotAllowed
    if outcome not in outcomes(way):
        raise OutcomeDoesNotFit
    if outcome is Outcome.VOICEMAIL_LEFT and not rules.may_leave_voicemail:
        raise VoicemailNotAllowed
    if not found.opened_at - CLOCK_AHEAD <= at <= now + CLOCK_AHEAD:
        raise AttemptTimeWrong
    return Call(found.force_id, id_, found.id, at, by_id, way, outcome)
