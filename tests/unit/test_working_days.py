"""Working days and days in London, over both clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.working_days import day, due, is_working_day, left, london, month

seconds = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
moments = st.integers(*seconds).map(lambda at: datetime.fromtimestamp(at, UTC))
numbers = st.integers(0, 30)


def at(text: str) -> datetime:
    """A moment by the clocks of London, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)


def test_due_is_the_last_second_of_the_day() -> None:
    """One working day from a Monday noon is Tuesday, 23:59:59 in London."""
    assert due(at("2026-01-12T12:00"), 1) == at("2026-01-13T23:59:59")


def test_no_working_days_means_today() -> None:
    """Same day is the end of the working day that has begun."""
    assert due(at("2026-01-12T09:00"), 0) == at("2026-01-12T23:59:59")


def test_same_day_on_a_sunday_is_monday() -> None:
    """Where nobody works today, the next working day is meant."""
    assert due(at("2026-01-11T09:00"), 0) == at("2026-01-12T23:59:59")


def test_weekend_does_not_count() -> None:
    """Two working days from a Thursday is the Monday."""
    assert due(at("2026-01-15T10:00"), 2) == at("2026-01-19T23:59:59")


def test_bank_holidays_of_england_do_not_count() -> None:
    """Christmas Day is a Friday in 2026; Boxing Day's substitute is the Monday."""
    assert due(at("2026-12-24T10:00"), 1) == at("2026-12-29T23:59:59")


def test_bank_holidays_of_scotland_count() -> None:
    """The second of January is a working day in England."""
    assert is_working_day(date(2026, 1, 2))


def test_deadline_over_the_spring_change_is_in_summer_time() -> None:
    """From Friday before the clocks go forward (29 March 2026) to Monday: 23:59:59 BST is 22:59:59 UTC."""
    assert due(datetime(2026, 3, 27, 12, tzinfo=UTC), 1) == datetime(2026, 3, 30, 22, 59, 59, tzinfo=UTC)


def test_deadline_over_the_autumn_change_is_in_winter_time() -> None:
    """From Friday before the clocks go back (25 October 2026) to Monday: 23:59:59 GMT is 23:59:59 UTC."""
    assert due(datetime(2026, 10, 23, 12, tzinfo=UTC), 1) == datetime(2026, 10, 26, 23, 59, 59, tzinfo=UTC)


def test_late_evening_in_summer_is_the_next_day_in_london() -> None:
    """23:30 UTC on 30 June is 1 July in London, and July's month."""
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert day(late) == date(2026, 7, 1)
    assert month(late) == "2026-07"
    assert due(late, 0) == at("2026-07-01T23:59:59")


def test_late_evening_in_winter_is_the_same_day_in_london() -> None:
    """23:30 UTC on 30 November is still November."""
    assert month(datetime(2026, 11, 30, 23, 30, tzinfo=UTC)) == "2026-11"


@pytest.mark.parametrize(
    ("utc", "hour", "offset"),
    [("2026-03-29T00:59", 0, 0), ("2026-03-29T01:00", 2, 1), ("2026-10-25T00:59", 1, 1), ("2026-10-25T01:00", 1, 0)],
)
def test_london_follows_the_clock_changes(utc: str, hour: int, offset: int) -> None:
    """The hour before and after each change shows as clocks show it."""
    shown = london(datetime.fromisoformat(utc).replace(tzinfo=UTC))
    assert (shown.hour, shown.utcoffset()) == (hour, timedelta(hours=offset))


@given(moments, numbers)
def test_deadline_is_a_working_day_not_before_the_start(start: datetime, working_days: int) -> None:
    """Whatever the start, the deadline is the end of a working day to come."""
    found = due(start, working_days)
    assert found > start - timedelta(seconds=1)
    assert is_working_day(day(found))
    assert (london(found).hour, london(found).minute, london(found).second) == (23, 59, 59)


@given(moments, numbers)
def test_more_days_are_never_sooner(start: datetime, working_days: int) -> None:
    """A longer deadline does not end before a shorter one."""
    assert due(start, working_days) <= due(start, working_days + 1)


def noon(month: int, day: int, year: int = 2026) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until", "days"),
    [
        (noon(11, 23), noon(11, 23), 0),
        (noon(11, 23), noon(11, 24), 1),
        (noon(11, 27), noon(11, 30), 1),  # over a weekend
        (noon(12, 24), noon(12, 29), 1),  # Christmas, a weekend, Boxing Day moved to Monday
        (noon(4, 2), noon(4, 7), 1),  # Easter
        (noon(11, 30), noon(11, 23), 0),
        # A quarter to midnight in London on the 30th is still the 30th, though in summer UTC says otherwise.
        (datetime(2026, 6, 30, 22, 45, tzinfo=UTC), datetime(2026, 6, 30, 22, 59, tzinfo=UTC), 0),
        (datetime(2026, 6, 30, 22, 45, tzinfo=UTC), datetime(2026, 6, 30, 23, 1, tzinfo=UTC), 1),
    ],
)
def test_weekends_and_bank_holidays_are_no_working_days(now: datetime, until: datetime, days: int) -> None:
    """Counted in London, from tomorrow on, the last day included."""
    assert left(now, until) == days


@given(moments, numbers)
def test_as_many_are_left_as_a_deadline_was_given(start: datetime, working_days: int) -> None:
    """What `due` counts forward, `left` counts back; without a day a weekend still has the next working day."""
    counted = left(start, due(start, working_days))
    if working_days or is_working_day(london(start).date()):
        assert counted == working_days
    else:
        assert counted == 1
