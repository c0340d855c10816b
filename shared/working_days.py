"""Days as people live them: Europe/London, working days without weekends and the bank holidays of England."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")
_LAST_SECOND: Final = time(23, 59, 59)
_DAY: Final = timedelta(days=1)


def london(moment: datetime) -> datetime:
    """An aware moment as clocks in London show it."""
    return moment.astimezone(LONDON)


def day(moment: datetime) -> date:
    """The day of an aware moment, as people in London count days."""
    return london(moment).date()


def month(moment: datetime) -> str:
    """The month of an aware moment in London, `YYYY-MM`."""
    there = london(moment)
    # Not by strftime, which takes three times as long: this is asked for every event that is counted.
    return f"{there.year:04}-{there.month:02}"


def is_working_day(given: date) -> bool:
    """Whether offices are open: no weekend, no bank holiday of England."""
    return given.weekday() < 5 and given not in _bank_holidays(given.year)


def due(start: datetime, working_days: int) -> datetime:
    """The end, 23:59:59 in London, of the n-th working day after the day of `start`; as UTC.

    0 means the same day, or the next working day where `start` falls on none.
    """
    return _end_of(_count(day(start), working_days))


def left(now: datetime, until: datetime) -> int:
    """How many working days there are after today, up to the day of `until`; 0 once that day has come."""
    today, last = day(now), day(until)
    return sum(is_working_day(today + n * _DAY) for n in range(1, (last - today).days + 1))


@lru_cache(maxsize=1024)
def _count(start: date, working_days: int) -> date:
    found = start
    for _ in range(working_days):
        found = _next(found)
    return found if is_working_day(found) else _next(found)


def _next(given: date) -> date:
    given += _DAY
    while not is_working_day(given):
        given += _DAY
    return given


def _end_of(given: date) -> datetime:
    return datetime.combine(given, _LAST_SECOND, LONDON).astimezone(UTC)


@lru_cache(maxsize=64)
def _bank_holidays(year: int) -> frozenset[date]:
    # Imported when first asked for: the package costs 16 MB, and not every service counts working days.
    from holidays.countries.united_kingdom import UnitedKingdom

    england = UnitedKingdom(subdiv="ENG", years=year, expand=False)  # type: ignore[no-untyped-call] # has no hints
    return frozenset(england)
