"""Time and meeting place, times to choose from, why a walk is given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from services.assignment.forms.clock import Clock, Day, NoSuchTime, moment, read_clock, read_day
from shared.contracts.walks import MOST_TIMES


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
