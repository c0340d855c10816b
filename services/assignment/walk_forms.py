"""The forms of the walk's pages: days and clock times as people type them, London time; a few concerns at once."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field

from services.assignment.domain import LONGEST_WORDS, RecordedConcern, plain
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.refusals import Refusal
from shared.contracts.walks import MOST_TIMES
from shared.web.forms import Form
from shared.working_days import LONDON

MOST_CONCERNS: Final = 8

_CLOCK: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2})(?::\d{2})?)?\s*([ap]m)?", re.IGNORECASE)
_DAY: Final = re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})")


def read_day(text: object) -> date:
    """`2026-11-24`, as date fields send it, or `24/11/2026`, as people type it."""
    typed = str(text).strip()
    try:
        if found := _DAY.fullmatch(typed):
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(typed)
    except ValueError:
        raise ValueError("Enter a real date, like 24/11/2026") from None


def read_clock(text: object) -> time:
    """`18:30`, as time fields send it, or `6.30pm`, as people type it."""
    found = _CLOCK.fullmatch(str(text).strip())
    if found and (found[2] or found[3]):
        hour, minute = int(found[1]), int(found[2] or 0)
        if found[3]:
            # 12am is midnight, 12pm midday; 13pm is neither.
            hour = hour % 12 + (12 if found[3].lower() == "pm" else 0) if 1 <= hour <= 12 else 24
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise ValueError("Enter a time, like 18:30 or 6:30pm")


Day = Annotated[date, BeforeValidator(read_day)]
Clock = Annotated[time, BeforeValidator(read_clock)]


class NoSuchTime(Refusal):
    """That time does not exist on that day: the clocks go forward. Choose another."""


def moment(day: date, clock: time) -> datetime:
    """A day and time on London's clocks as UTC; the first of the two where the clocks go back.

    :raises NoSuchTime: the clocks jump over it.
    """
    found = datetime.combine(day, clock, LONDON).astimezone(UTC)
    if found.astimezone(LONDON).time() != clock:
        raise NoSuchTime
    return found


class TakeForm(BaseModel):
    """Which officer a coordinator gives the walk to; an officer sends nothing."""

    officer_id: Annotated[str, Field(max_length=63)] | None = None


class ArrangeForm(BaseModel):
    """Day, time and meeting place."""

    day: Day
    clock: Clock
    meeting_place: Annotated[str, Field(max_length=200)]


ARRANGE_MESSAGES: Final = {
    "day": "Enter the day of the walk",
    "clock": "Enter the time you will meet",
    "meeting_place": "Enter where you will meet, in 200 characters or fewer",
}


class ProposeForm(BaseModel):
    """The meeting place of proposed times; the times themselves are read by `times_of`."""

    meeting_place: Annotated[str, Field(max_length=200)]


def times_of(values: Mapping[str, str | Sequence[str]]) -> tuple[list[datetime], list[tuple[str, str]]]:
    """The times that were filled in, as UTC, and (field, what is wrong) of them; rows left empty are left out."""
    found: list[datetime] = []
    wrong: list[tuple[str, str]] = []
    for number in range(1, MOST_TIMES + 1):
        day, clock = (str(values.get(f"{field}_{number}", "")).strip() for field in ("day", "clock"))
        if not (day or clock):
            continue
        try:
            read = read_day(day)
        except ValueError as fault:
            wrong.append((f"day_{number}", f"Time {number}: {fault}"))
            continue
        try:
            found.append(moment(read, read_clock(clock)))
        except ValueError as fault:
            wrong.append((f"clock_{number}", f"Time {number}: {fault}"))
        except NoSuchTime as refusal:
            wrong.append((f"clock_{number}", f"Time {number}: {refusal.message}"))
    if not found and not wrong:
        wrong.append(("day_1", "Enter at least one time she can choose"))
    return found, wrong


class CancelForm(BaseModel):
    """Why the walk will not take place."""

    reason: Literal["not-reached", "no-longer-wanted", "not-safe", "no-officer", "other"]


class RouteForm(BaseModel):
    """The area a coordinator chose."""

    area_id: Annotated[str, Field(max_length=63)]


class OutcomeForm(BaseModel):
    """How a follow-up ended."""

    outcome: Literal["reached", "not-reached", "declined", "reviewed"]


class CompleteForm(BaseModel):
    """The walk itself; its concerns are read by `concerns_of`."""

    day: Day
    start: Clock
    end: Clock
    streetsafe: Literal["yes", "no"]


COMPLETE_MESSAGES: Final = {
    "day": "Enter the day of the walk",
    "start": "Enter when the walk started",
    "end": "Enter when the walk ended",
    "streetsafe": "Select yes if you showed her StreetSafe",
}


def how_many(values: Mapping[str, str | Sequence[str]]) -> int:
    """How many concerns the form shows, from its hidden field; never more than the page can hold."""
    text = str(values.get("many", "1"))
    return min(max(int(text), 1), MOST_CONCERNS) if text.isascii() and text.isdigit() and len(text) < 4 else 1


async def concerns_of(
    form: Form[CompleteForm], elsewhere: Point, place_of: Callable[[str], Awaitable[Point]]
) -> tuple[list[RecordedConcern], list[tuple[str, str]]]:
    """The concerns that were filled in, and (field, what is wrong) of them.

    A concern without a postcode lies `elsewhere`: where she asked to walk. One with nothing filled in is left out.
    """
    found: list[RecordedConcern] = []
    wrong: list[tuple[str, str]] = []
    for number in range(1, how_many(form.values) + 1):
        category, severity, part, name, postcode, words = (
            form.value(f"{field}_{number}")
            for field in ("category", "severity", "time_of_day", "place_name", "postcode", "words")
        )
        if not (category or name or postcode or words):
            continue
        if category not in set(Reason):
            wrong.append((f"category_{number}", f"Select what concern {number} is about"))
        if len(name) > 200:
            wrong.append((f"place_name_{number}", f"The place of concern {number} must be 200 characters or fewer"))
        if len(plain(words)) > LONGEST_WORDS:
            wrong.append((f"words_{number}", f"The words of concern {number} must be 4,000 characters or fewer"))
        place = elsewhere
        if postcode:
            try:
                place = await place_of(postcode)
            except Refusal as refusal:
                wrong.append((f"postcode_{number}", refusal.message))
        if wrong:
            continue
        found.append(
            RecordedConcern(
                category=Reason(category),
                place=place,
                place_name=name or None,
                time_of_day=PartOfDay(part) if part in set(PartOfDay) else None,
                severity=Severity(severity) if severity in set(Severity) else Severity.MEDIUM,
                words=words or None,
            )
        )
    return found, wrong
