"""What a page of the form is made of, and the words for the closed lists it offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel

from services.intake.domain.wishes import Helper
from shared.contracts.kinds import Channel, PartOfDay, Reason, Weekday
from shared.contracts.policy import ForcePolicy

Answers: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By the question's slug, what was typed by field."""

Choices: TypeAlias = Mapping[str, str]
YES_NO: Final[Choices] = {"yes": "Yes", "no": "No"}

REASONS: Final[Choices] = {
    Reason.NO_CCTV: "No CCTV",
    Reason.BADLY_LIT: "It is badly lit",
    Reason.EMPTY_OR_ISOLATED: "Empty buildings, or it is isolated",
    Reason.POOR_LAYOUT: "The layout of the streets or paths",
    Reason.RESTRICTED_VISIBILITY: "I cannot see far, or be seen",
    Reason.RUNDOWN: "It is run down",
    Reason.DRUGS_OR_ALCOHOL: "Signs of drug or alcohol use",
    Reason.OTHER_ENVIRONMENT: "Something else about the place",
    Reason.HARASSED_BY_ONE: "Shouted at or harassed by a stranger",
    Reason.HARASSED_BY_GROUP: "Shouted at or harassed by a group",
    Reason.FOLLOWED: "Being followed",
    Reason.OTHER_HARASSMENT: "Other harassment",
}

DAYS: Final[Choices] = {day: day.value.capitalize() for day in Weekday}

PARTS: Final[Choices] = {
    PartOfDay.EARLY_MORNING: "Early morning, before 9am",
    PartOfDay.DAYTIME: "Daytime, 9am to 5pm",
    PartOfDay.EVENING: "Evening, after 5pm",
}

CHANNELS: Final[Choices] = {
    Channel.EMAIL: "Email",
    Channel.TEXT: "Text message",
    Channel.PHONE: "Phone call",
    Channel.LETTER: "Letter",
}


HELPERS: Final[Choices] = {
    Helper.OFFICER: "A police officer or PCSO",
    Helper.SUPPORT_WORKER: "A support worker or advocate",
    Helper.FAMILY_OR_FRIEND: "Family, or a friend",
    Helper.OTHER: "Somebody else whom she trusts",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of a question's page."""

    name: str
    kind: Literal["radios", "checkboxes", "text", "email", "tel", "lines", "date"]
    label: str
    hint: str = ""
    choices: Choices | None = None
    autocomplete: str = ""
    width: str = ""
    limit: int = 0
    """Of characters, where there is one worth counting for her."""
    optional: bool = False
    """Whether she may go on without an answer, and the page says so."""


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the form, with one question."""

    slug: str
    """In its address, and so in a browser's history: it says nothing of its own."""
    title: str
    model: type[BaseModel]
    asked: Asked
    messages: Mapping[str, str]
    lead: tuple[str, ...] = ()
    applies: Callable[[Answers, ForcePolicy], bool] = lambda answers, policy: True


def channels_of(answers: Answers) -> tuple[Channel, ...]:
    """The ways to be contacted she has chosen so far."""
    return tuple(Channel(one) for one in answers.get("channels", {}).get("channels", ()))


def helped(answers: Answers) -> bool:
    """Whether somebody fills the form in with her."""
    return answers.get("who", {}).get("who") == "with"
