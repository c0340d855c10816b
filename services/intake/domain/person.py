"""Who she is and how she may be reached: never leaves intake in plain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.intake.domain.wishes import NO_WISHES, Wishes
from shared.contracts.kinds import Channel
from shared.contracts.walk_requests import ContactRules


@dataclass(frozen=True, slots=True)
class Person:
    """Who she is and how she may be reached: what is sealed under her key."""

    name: str
    rules: ContactRules
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    language: str = "en"
    """In which she is written to."""
    calendar: bool = False
    """Whether messages about her walk bring an entry for her calendar, which others may see."""
    wishes: Wishes = NO_WISHES

    def as_json(self) -> dict[str, Any]:
        """What is sealed; what she said in her own words only where she did."""
        wishes = self.wishes.as_json()
        return {
            "name": self.name,
            "rules": self.rules.model_dump(mode="json"),
            "email": self.email,
            "phone": self.phone,
            "address": self.address,
            "language": self.language,
            "calendar": self.calendar,
        } | ({"wishes": wishes} if wishes else {})

    @classmethod
    def from_json(cls, opened: Mapping[str, Any]) -> Person:
        """What was sealed; by an earlier version too, which asked for less."""
        return cls(
            opened["name"],
            ContactRules.model_validate(opened["rules"]),
            opened["email"],
            opened["phone"],
            opened["address"],
            opened.get("language", "en"),
            opened.get("calendar", False),
            Wishes.from_json(opened.get("wishes", {})),
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
