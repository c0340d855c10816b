"""Who may open the contact card, and how she may be called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.intake.domain.messages import next_allowed
from services.intake.domain.refusals import CardNotFound, ContactNotYours, ContactStopped
from services.intake.domain.requests import Held, RequestState
from shared.contracts.kinds import Channel, PartOfDay
from shared.contracts.walk_requests import ContactRules


@dataclass(frozen=True, slots=True)
class Asker:
    """The member of staff who asks to see who she is."""

    id: str
    team_id: str | None
    coordinator: bool
    officer: bool


def excludes(asker: Asker, rules: ContactRules) -> bool:
    """Whether she wants neither this member of staff nor their team."""
    return asker.id in rules.excluded_officers or asker.team_id in rules.excluded_teams


def refuse_contact(asker: Asker, request: Held, rules: ContactRules) -> None:
    """Let the officer assigned and the coordinator pass.

    :raises CardNotFound: for everybody else, and whoever she excludes: an officer whom she fears learns not even that
        she asked, and a colleague's answer is no other.
    :raises ContactNotYours: she has withdrawn.
    :raises ContactStopped: for all, once she has said so.
    """
    assigned = asker.officer and asker.id in (request.officer_id, request.caller_id)
    if excludes(asker, rules) or not (assigned or asker.coordinator):
        raise CardNotFound
    if request.state is RequestState.WITHDRAWN and not asker.coordinator:
        raise ContactNotYours
    if rules.stopped:
        raise ContactStopped


@dataclass(frozen=True, slots=True)
class Call:
    """How she may be called; `not_before` (UTC) is None when it may be now."""

    not_before: datetime | None
    may_say_police: bool
    may_leave_voicemail: bool


def call_of(rules: ContactRules, now: datetime) -> Call | None:
    """How she may be called under her rules; None where she has not said that a call is safe."""
    if rules.stopped or Channel.PHONE not in rules.channels or not rules.times:
        return None
    opens = call_from(rules.times, now)
    return Call(opens if opens > now else None, rules.may_say_police, rules.may_leave_voicemail)


def call_from(times: Sequence[PartOfDay], now: datetime) -> datetime:
    """The first moment (UTC) from now on at which she may be called; never at night, even if any time is safe."""
    return min(next_allowed([part], now.astimezone(UTC)) for part in times)
