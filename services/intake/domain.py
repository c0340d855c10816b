"""What intake decides: may she be offered a walk, how may she be contacted, who may see who she is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from shared.contracts.kinds import Channel, PartOfDay, Point, Reason
from shared.contracts.refusals import Refusal
from shared.contracts.surveys import BASELINE
from shared.contracts.walk_requests import Availability, ContactRules, WalkRequested
from shared.working_days import LONDON
from shared.working_days import day as london_day

# Refusals


class FieldsWrong(Refusal):
    """Some of what you sent is missing or not valid."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__()
        self.fields = dict(fields)


class KeyUsedForAnother(Refusal):
    """This Idempotency-Key was used for another request. Use a new key for each request."""


class RequestNotFound(Refusal):
    """We cannot find that request."""


class ContactNotYours(Refusal):
    """Only the officer who has taken this walk on, and the force’s coordinator, can see how to contact her."""


class ContactStopped(Refusal):
    """She has told us that contact is no longer safe. Nobody may try to reach her."""


class LinkInvalid(Refusal):
    """This link is not valid. Check that you opened the whole link from the message."""


# Who she is: never leaves intake in plain


@dataclass(frozen=True, slots=True)
class Person:
    """Who she is and how she may be reached: what is sealed under her key."""

    name: str
    rules: ContactRules
    email: str | None = None
    phone: str | None = None
    address: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What is sealed."""
        return {
            "name": self.name,
            "rules": self.rules.model_dump(mode="json"),
            "email": self.email,
            "phone": self.phone,
            "address": self.address,
        }

    @classmethod
    def from_json(cls, opened: Mapping[str, Any]) -> Person:
        """What was sealed."""
        return cls(
            opened["name"],
            ContactRules.model_validate(opened["rules"]),
            opened["email"],
            opened["phone"],
            opened["address"],
        )

    def with_rules(self, rules: ContactRules) -> Person:
        """The same woman under other rules."""
        return replace(self, rules=rules)

    def looked_up_by(self) -> tuple[tuple[str, str], ...]:
        """(kind, normalised text) of what another request of hers would have in common with this one."""
        found = []
        if self.email:
            found.append(("email", normal_email(self.email)))
        if self.phone:
            found.append(("phone", normal_phone(self.phone)))
        return tuple(found)


_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_PHONE_MARKS: Final = re.compile(r"[\s().\-–‑/]+")
_PHONE: Final = re.compile(r"(?:\+|00)[1-9][0-9]{6,14}|0[0-9]{9,10}")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def real_email(text: str) -> str:
    """The address as given, if mail could go there.

    :raises ValueError: it is no e-mail address; the message is fit for her to read.
    """
    if len(text) > 254 or not _EMAIL.fullmatch(text) or ".." in text or text.startswith("."):
        raise ValueError("Enter an email address in the correct format, like name@example.com")
    return text


def real_phone(text: str) -> str:
    """The number as given, if it could be called.

    :raises ValueError: it is no telephone number; the message is fit for her to read.
    """
    if len(text) > 30 or not _PHONE.fullmatch(_PHONE_MARKS.sub("", text)):
        raise ValueError("Enter a phone number, like 07700 900 982 or +44 808 157 0192")
    return text


def one_line(text: str) -> str:
    """The text, if it is a single line without control or direction marks.

    :raises ValueError: it is not; the message is fit for her to read.
    """
    if _UNPRINTABLE.search(text):
        raise ValueError("Use letters, numbers and ordinary punctuation, on one line")
    return text


def normal_email(text: str) -> str:
    """How the same address always looks: small letters."""
    return text.strip().lower()


def normal_phone(text: str) -> str:
    """How the same number always looks: digits after +, the United Kingdom where no country is given."""
    digits = _PHONE_MARKS.sub("", text)
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    return f"+44{digits[1:]}" if digits.startswith("0") else digits


def missing_details(channels: Sequence[Channel], details: Mapping[str, str | None]) -> dict[str, str]:
    """Which details her channels need and she has not given: field to a sentence."""
    wrong: dict[str, str] = {}
    if not channels:
        wrong["channels"] = "Select at least one way we may contact you"
    if Channel.EMAIL in channels and not details.get("email"):
        wrong["email"] = "Enter your email address"
    if (Channel.TEXT in channels or Channel.PHONE in channels) and not details.get("phone"):
        wrong["phone"] = "Enter your phone number"
    if Channel.LETTER in channels and not details.get("address"):
        wrong["address"] = "Enter the address for letters"
    return wrong


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A participant's data key as it is stored, and the name of the master key that opens it."""

    master: str
    wrapped: bytes


# The request

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
    lives_or_works_here: bool = False
    reasons: tuple[Reason, ...] = ()
    group_walk_welcome: bool = False
    language: str = "en"
    baseline: Mapping[str, str] = field(default_factory=dict)

    def event(self, request_id: UUID) -> WalkRequested:
        """What the others may know: the place and the rules, and nothing that says who she is."""
        return WalkRequested(
            request_id=request_id,
            place=self.place,
            place_from_postcode=self.place_from_postcode,
            lives_or_works_here=self.lives_or_works_here,
            reasons=self.reasons,
            availability=self.availability,
            contact=self.person.rules,
            group_walk_welcome=self.group_walk_welcome,
            language=self.language,
        )


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
    earliest = command.availability.earliest
    if earliest is not None and not today <= earliest <= today + timedelta(days=366):
        wrong["availability.earliest"] = "The earliest day must be today or later, and within a year"
    for code, sentence in BASELINE.refuse(command.baseline).items():
        wrong[f"baseline.{code}"] = sentence
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


# Messages: the one door


class MessageKind(StrEnum):
    CONFIRMATION = "confirmation"
    ARRANGED = "arranged"
    CANCELLED = "cancelled"
    SURVEY = "survey"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Send:
    """She may be sent this, not before `at` (UTC); `neutral` means that nothing in it may say police or why."""

    at: datetime
    neutral: bool


class Refuse(StrEnum):
    """She may not be sent this, and why."""

    STOPPED = "contact stopped"
    WITHDRAWN = "request withdrawn"
    CHANNEL = "channel not allowed"
    NO_TIME = "no time of day allowed"


MESSAGE_HOURS: Final[Mapping[PartOfDay, tuple[time, time]]] = {
    PartOfDay.EARLY_MORNING: (time(6), time(9)),
    PartOfDay.DAYTIME: (time(9), time(17)),
    PartOfDay.EVENING: (time(17), time(22)),
}
"""When a part of the day is, for messages, on a London clock. Who allows every part may be written to at any hour."""


def may_send(rules: ContactRules, channel: Channel, now: datetime, *, withdrawn: bool = False) -> Send | Refuse:
    """The one door: whether and when a message may go to her by this channel, under her own rules.

    It asks for no kind of message: her rules hold for all of them.

    :param now: the moment from which it may go, aware.
    """
    if rules.stopped:
        return Refuse.STOPPED
    if withdrawn:
        return Refuse.WITHDRAWN
    if channel not in rules.channels:
        return Refuse.CHANNEL
    if not rules.times:
        return Refuse.NO_TIME
    return Send(next_allowed(rules.times, now), neutral=not rules.may_say_police)


def next_allowed(times: Sequence[PartOfDay], now: datetime) -> datetime:
    """The first moment (UTC) from now on that lies in one of these parts of a London day.

    Days are walked on the London clock, so a part keeps its hours over both changes of the clock.

    :raises ValueError: no part is allowed.
    """
    now = now.astimezone(UTC)
    if set(times) >= set(PartOfDay):
        return now
    today = london_day(now)
    for day in (today, today + timedelta(days=1)):
        for part in PartOfDay:
            opens, closes = (datetime.combine(day, at, LONDON).astimezone(UTC) for at in MESSAGE_HOURS[part])
            if part in times and now < closes:
                return max(now, opens)
    raise ValueError("no part of the day is allowed")


AUTOMATIC_CHANNELS: Final = (Channel.EMAIL,)
"""Channels a message of ours can leave by itself; for the others an officer reads the contact card."""


def channel_for(person: Person) -> Channel | None:
    """The channel a message goes by: the first of hers that we can send by; None when a person has to do it."""
    return next((channel for channel in AUTOMATIC_CHANNELS if channel in person.rules.channels), None)


_SAYS_POLICE: Final = re.compile(
    r"\b(?:polic\w*|officers?|constab\w*|constables?|pcsos?|pcs?|dwos?|sergeants?|sgt|inspectors?|cops?|crime\w*|"
    r"walk and talk|streetsafe|neighbourhood team|scheme|999|101)\b",
    re.IGNORECASE,
)


def says_police(text: str) -> bool:
    """Whether words from elsewhere (a meeting place, what a partner did) would give away who is writing."""
    return _SAYS_POLICE.search(text) is not None


# Who may open the contact card


@dataclass(frozen=True, slots=True)
class Asker:
    """The member of staff who asks to see who she is."""

    id: str
    team_id: str | None
    coordinator: bool
    officer: bool


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


def refuse_contact(asker: Asker, request: Held, rules: ContactRules) -> None:
    """Let the officer assigned and the coordinator pass.

    :raises RequestNotFound: for an officer or a team she excludes: whom she fears learns not even that she asked.
    :raises ContactNotYours: for everybody else.
    :raises ContactStopped: for all, once she has said so.
    """
    if asker.id in rules.excluded_officers or (asker.team_id and asker.team_id in rules.excluded_teams):
        raise RequestNotFound
    assigned = asker.officer and request.officer_id is not None and asker.id == request.officer_id
    if not assigned and not asker.coordinator:
        raise ContactNotYours
    if request.state is RequestState.WITHDRAWN and not asker.coordinator:
        raise ContactNotYours
    if rules.stopped:
        raise ContactStopped


# Her answers before the walk

BASELINE_BATCH: Final = 8
"""Answers leave intake in batches of at least so many, so that none can be told to be hers."""
BASELINE_WAITS: Final = timedelta(days=30)


def leaves_on(day: date) -> datetime:
    """When answers given on this day leave at the latest, batch or no batch: a midnight, so that it tells no hour."""
    return datetime.combine(day + BASELINE_WAITS + timedelta(days=1), time(0), LONDON).astimezone(UTC)


SURVEY_OPEN_FOR: Final = timedelta(days=60)
"""How long the link of a survey can be answered, from the moment it may be sent."""
