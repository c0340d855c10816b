"""The walk that was held, with a few concerns at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal

from pydantic import BaseModel

from services.assignment.domain.record import RecordedConcern
from services.assignment.domain.words import LONGEST_WORDS, plain
from services.assignment.forms.clock import Clock, Day
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.refusals import Refusal
from shared.web.forms import Form

MOST_CONCERNS: Final = 8


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
