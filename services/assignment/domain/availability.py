"""When officers can walk: weekly windows, less the days on which they are away. Days and hours are London's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from services.assignment.domain.refusals import DaysWrong, WindowWrong
from shared.contracts.kinds import Weekday
from shared.working_days import LONDON

WEEKDAYS: Final = tuple(Weekday)
MIDNIGHT: Final = 1440
MOST_WINDOWS: Final = 50
MOST_ABSENCES: Final = 200


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which an officer cannot walk, both included."""

    id: UUID
    first_day: date
    last_day: date

    def covers(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class Window:
    """Each week on this day, from and to as minutes since midnight; from and until the days it holds, both included."""

    id: UUID
    weekday: Weekday
    from_minute: int
    to_minute: int
    valid_from: date | None = None
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it is the weekday, and the window holds then."""
        return (
            WEEKDAYS[day.weekday()] is self.weekday
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


@dataclass(frozen=True, slots=True)
class Free:
    """A time (UTC) at which an officer can walk."""

    starts_at: datetime
    ends_at: datetime


def window(
    window_id: UUID, weekday: Weekday, start: time, end: time, valid_from: date | None, valid_until: date | None
) -> Window:
    """A window to keep; an end at midnight is the end of the day.

    :raises WindowWrong: it ends before it starts, or is past before it holds.
    """
    first, last = start.hour * 60 + start.minute, end.hour * 60 + end.minute or MIDNIGHT
    if first >= last or (valid_from and valid_until and valid_until < valid_from):
        raise WindowWrong
    return Window(window_id, weekday, first, last, valid_from, valid_until)


def absence(absence_id: UUID, first_day: date, last_day: date | None, today: date) -> Absence:
    """Days away; one day where no last one is named.

    :raises DaysWrong: the last is before the first, all of it is past, or it lasts longer than two years.
    """
    last_day = last_day or first_day
    if last_day < first_day or last_day < today or last_day - first_day > timedelta(days=731):
        raise DaysWrong
    return Absence(absence_id, first_day, last_day)


def free(windows: Sequence[Window], absences: Sequence[Absence], first_day: date, last_day: date) -> list[Free]:
    """When an officer can walk on these days (London, both included): windows that touch are one, in order."""
    found: list[Free] = []
    for day in _days(first_day, last_day):
        if any(each.covers(day) for each in absences):
            continue
        spans = sorted((each.from_minute, each.to_minute) for each in windows if each.holds_on(day))
        for first, last in _joined(spans):
            starts_at, ends_at = _moment(day, first), _moment(day, last)
            if starts_at >= ends_at:
                continue
            if found and found[-1].ends_at == starts_at:
                # One that goes on past midnight.
                starts_at = found.pop().starts_at
            found.append(Free(starts_at, ends_at))
    return found


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in spans:
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def _moment(day: date, minute: int) -> datetime:
    """An hour of the wall clock as UTC: on the two days a year when clocks change as well."""
    if minute == MIDNIGHT:
        return datetime.combine(day + timedelta(days=1), time(), LONDON).astimezone(UTC)
    return datetime.combine(day, time(minute // 60, minute % 60), LONDON).astimezone(UTC)
