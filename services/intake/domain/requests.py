"""Her request: what it must hold, what others may know of it, how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.intake.domain.person import Person, missing_details
from shared.contracts.equality import refuse_equality
from shared.contracts.kinds import Point, Reason
from shared.contracts.surveys import BASELINE
from shared.contracts.walk_requests import Availability, WalkRequested

REFERENCE_LETTERS: Final = "23456789BCDFGHJKMNPQRTVWXYZ"
"""No vowels (no words), and nothing that is misread or misheard: 0 and O, 1 and I and L, S and 5."""


def reference(chance: bytes) -> str:
    """A request's reference, like `WT-7KF3-92QX`, from eight random bytes: 27⁸ (2.8 × 10¹¹) of them."""
    number = int.from_bytes(chance[:8], "big")
    letters = ""
    for _ in range(8):
        number, at = divmod(number, len(REFERENCE_LETTERS))
        letters += REFERENCE_LETTERS[at]
    return f"WT-{letters[:4]}-{letters[4:]}"


@dataclass(frozen=True, slots=True)
class RequestWalk:
    """The command: a woman aged 18 or over asks for a walk, and agrees that the force uses what she says for it."""

    force_id: str
    person: Person
    place: Point
    place_from_postcode: bool
    availability: Availability
    route: tuple[Point, ...] = ()
    lives_or_works_here: bool = False
    reasons: tuple[Reason, ...] = ()
    group_walk_welcome: bool = False
    language: str = "en"
    baseline: Mapping[str, str] = field(default_factory=dict)
    equality: Mapping[str, str] = field(default_factory=dict)
    campaign: str | None = None
    """How she heard of it: a code of the force's policy. Counted, and kept with nothing of hers."""

    def event(self, request_id: UUID) -> WalkRequested:
        """What the others may know: the place and the rules, and nothing that says who she is."""
        return WalkRequested(
            request_id=request_id,
            place=self.place,
            place_from_postcode=self.place_from_postcode,
            route=self.route,
            lives_or_works_here=self.lives_or_works_here,
            reasons=self.reasons,
            availability=self.availability,
            contact=self.person.rules,
            group_walk_welcome=self.group_walk_welcome,
            language=self.language,
        )


EARLIEST_WRONG: Final = "The earliest day must be today or later, and within a year"


def possible_first_day(earliest: date | None, today: date) -> bool:
    """Whether a walk may be asked for from this day on."""
    return earliest is None or today <= earliest <= today + timedelta(days=366)


def refuse_request(command: RequestWalk, today: date) -> dict[str, str]:
    """What is wrong with a request: field, as the API spells it, to a sentence; empty when nothing is."""
    person, wrong = command.person, {}
    details = {"email": person.email, "phone": person.phone, "address": person.address}
    for name, sentence in missing_details(person.rules.channels, details).items():
        wrong[f"contact.{name}"] = sentence
    if not person.rules.times:
        wrong["contact.times"] = "Select at least one time when it is safe to contact you"
    if not command.availability.days:
        wrong["availability.days"] = "Select at least one day"
    if not command.availability.parts:
        wrong["availability.parts"] = "Select at least one time of day"
    if not possible_first_day(command.availability.earliest, today):
        wrong["availability.earliest"] = EARLIEST_WRONG
    for code, sentence in BASELINE.refuse(command.baseline).items():
        wrong[f"baseline.{code}"] = sentence
    for code, sentence in refuse_equality(command.equality).items():
        wrong[f"equality.{code}"] = sentence
    return wrong


class RequestState(StrEnum):
    """How far her request has come, as intake knows it from the walk it became part of."""

    RECEIVED = "received"
    ROUTED = "routed"
    TAKEN = "taken"
    ARRANGED = "arranged"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Held:
    """What intake knows of a request that is no secret of hers."""

    force_id: str
    id: UUID
    reference: str
    state: RequestState
    walk_id: UUID | None
    officer_id: str | None
    participant_id: UUID
    caller_id: str | None = None
    """Who makes the call or visit she is owed, where that is another officer."""
