"""Attempts to reach her: only by ways she allows, and none once contact is no longer safe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.assignment.domain.refusals import ContactStopped, WrongField
from services.assignment.domain.requests import Request
from services.assignment.domain.walks import Walk, refuse_ended
from shared.contracts.kinds import Channel
from shared.contracts.walk_requests import ContactRules


class RequestUnknown(WrongField):
    """Choose a request of this walk."""

    field = "request_id"


class WayNotAllowed(WrongField):
    """She does not want to be contacted that way. Choose one of hers."""

    field = "way"


class AttemptDoesNotFit(WrongField):
    """Choose an outcome that fits the way you chose."""

    field = "outcome"


class VoicemailNotAllowed(WrongField):
    """She does not want voicemail to be left."""

    field = "outcome"


class Outcome(StrEnum):
    """How an attempt ended. Somebody else: another person answered, and nothing was said of us."""

    REACHED = "reached"
    NO_ANSWER = "no-answer"
    VOICEMAIL_LEFT = "voicemail-left"
    SOMEBODY_ELSE = "somebody-else"
    OUT_OF_SERVICE = "out-of-service"
    SENT = "sent"
    NOT_DELIVERED = "not-delivered"


_WRITTEN: Final = (Outcome.SENT, Outcome.REACHED, Outcome.NOT_DELIVERED)
OUTCOMES: Final = {
    Channel.PHONE: (
        Outcome.REACHED,
        Outcome.NO_ANSWER,
        Outcome.VOICEMAIL_LEFT,
        Outcome.SOMEBODY_ELSE,
        Outcome.OUT_OF_SERVICE,
    ),
    Channel.TEXT: _WRITTEN,
    Channel.EMAIL: _WRITTEN,
    Channel.LETTER: (Outcome.SENT, Outcome.NOT_DELIVERED),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tried to reach her when (UTC), how, and how it ended. There are no words, which could say who she is."""

    force_id: str
    id: UUID
    request_id: UUID
    walk_id: UUID
    at: datetime
    by_id: str
    way: Channel
    outcome: Outcome


def outcomes(rules: ContactRules) -> tuple[Outcome, ...]:
    """What may be logged under her rules, in the order of the list."""
    able = {each for way in rules.channels for each in OUTCOMES[way]}
    return tuple(each for each in Outcome if each in able and (rules.may_leave_voicemail or not _is_voicemail(each)))


def _is_voicemail(outcome: Outcome) -> bool:
    return outcome is Outcome.VOICEMAIL_LEFT


def attempt(
    walk: Walk, id_: UUID, request_id: UUID, by_id: str, way: Channel, outcome: Outcome, now: datetime
) -> Attempt:
    """An attempt that was made just now.

    :raises ContactStopped: nobody may try.
    :raises RequestUnknown, WayNotAllowed, AttemptDoesNotFit, VoicemailNotAllowed: what was entered cannot be right.
    """
    refuse_ended(walk)
    if walk.contact_stopped:
        raise ContactStopped
    asked = _asked(walk, request_id)
    if way not in asked.contact.channels:
        raise WayNotAllowed
    if outcome not in OUTCOMES[way]:
        raise AttemptDoesNotFit
    if _is_voicemail(outcome) and not asked.contact.may_leave_voicemail:
        raise VoicemailNotAllowed
    return Attempt(walk.force_id, id_, request_id, walk.id, now, by_id, way, outcome)


def _asked(walk: Walk, request_id: UUID) -> Request:
    for each in walk.requests:
        if each.id == request_id and each.withdrawn_at is None:
            return each
    raise RequestUnknown
