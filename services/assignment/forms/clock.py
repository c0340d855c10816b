"""Days and clock times as people type them, on London's clocks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from pydantic import BeforeValidator

from shared.contracts.refusals import Refusal
from shared.working_days import LONDON

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
