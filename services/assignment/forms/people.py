"""An officer's entry, when they can walk, when they are away; a training session and who was there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field

from services.assignment.domain.officers_csv import Choice
from services.assignment.domain.training import TrainingWay
from services.assignment.forms.clock import Clock, Day
from shared.contracts.kinds import OfficerKind, TrainingTopic, Weekday

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]


def _stripped(text: object) -> object:
    return str(text).strip() or None


class OfficerForm(BaseModel):
    """An officer's entry; `also_walks_in` is one team a line, by name or id."""

    name: Annotated[str, Field(max_length=200)]
    kind: OfficerKind
    team_id: Annotated[str, Field(max_length=63)]
    also_walks_in: Annotated[str, Field(max_length=20_000)] = ""
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)] | None = None
    trained_on: Day | None = None
    active: Literal["yes", "no"] = "yes"


class NewOfficerForm(OfficerForm):
    """A new entry, with the subject of the sign-in."""

    officer_id: Annotated[str, BeforeValidator(_stripped), Field(max_length=63)]


OFFICER_MESSAGES: Final = {
    "officer_id": "Enter the id the identity provider signs the officer in by",
    "name": "Enter rank and name, in 200 characters or fewer",
    "kind": "Select what kind of officer this is",
    "team_id": "Select a team",
    "email": "Enter an e-mail address, like name@force.police.uk",
}


def teams_of(text: str, teams: Mapping[str, str]) -> tuple[frozenset[str], list[str]]:
    """The teams that lines name, by id or name, and the lines that name none. `teams`: names by id."""
    by_name = {key.casefold(): id_ for id_, name in teams.items() for key in (name, id_)}
    lines = [line.strip() for line in re.split(r"[\n|]", text) if line.strip()]
    found = frozenset(by_name[line.casefold()] for line in lines if line.casefold() in by_name)
    return found, [line for line in lines if line.casefold() not in by_name]


class WindowForm(BaseModel):
    """Days of the week, from when to when, and from which day until which day that holds."""

    weekdays: Annotated[list[Weekday], Field(min_length=1)]
    starts: Clock
    ends: Clock
    valid_from: Day | None = None
    valid_until: Day | None = None


WINDOW_MESSAGES: Final = {
    "weekdays": "Select at least one day of the week",
    "starts": "Enter from when, like 18:30",
    "ends": "Enter until when, like 20:30",
}


class AbsenceForm(BaseModel):
    """Days away."""

    first_day: Day
    last_day: Day | None = None


ABSENCE_MESSAGES: Final = {"first_day": "Enter the first day away", "last_day": "Enter the last day away"}


class LanguagesForm(BaseModel):
    """What is spoken beside English."""

    languages: Annotated[list[Language], Field(max_length=30)] = []


class SessionForm(BaseModel):
    """A training session."""

    name: Annotated[str, Field(max_length=200)]
    held_on: Day
    way: TrainingWay
    covers: Annotated[list[TrainingTopic], Field(min_length=1)]


SESSION_MESSAGES: Final = {
    "name": "Enter what the session is called, in 200 characters or fewer",
    "held_on": "Enter the day of the session",
    "way": "Select how the session is held",
    "covers": "Select what the session covers",
}


class AttendanceForm(BaseModel):
    """Whom the page showed, and who of them was there."""

    shown: Annotated[list[str], Field(max_length=200)] = []
    came: Annotated[list[str], Field(max_length=200)] = []


class ImportForm(BaseModel):
    """What is taken over from the spreadsheet."""

    choice: Choice


IMPORT_MESSAGES: Final = {"choice": "Select what is to be done with the file"}


def day_shown(given: date | None) -> str:
    """A day as a date field wants it."""
    return given.isoformat() if given else ""
