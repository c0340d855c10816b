"""When officers can walk, what makes them trained, and what keeps them from walking: pure rules."""

from __future__ import annotations

from datetime import UTC, date, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.domain.availability import Absence, Window, absence, free, window
from services.assignment.domain.people import Officer, what_stops
from services.assignment.domain.refusals import (
    DaysWrong,
    KindNotAllowed,
    NotTrained,
    OfficerAway,
    OfficerOff,
    SessionNotHeld,
    SessionWrong,
    TrainingExpired,
    WindowWrong,
)
from services.assignment.domain.training import (
    Trained,
    TrainingSession,
    TrainingWay,
    months_later,
    refuse_not_held,
    session,
    trained,
)
from shared.contracts.kinds import OfficerKind, TrainingTopic, Weekday
from shared.contracts.policy import TrainingRules, WalkRules
from shared.working_days import LONDON

FORCE = "avon-and-somerset"
TODAY = date(2026, 11, 23)
ALL = frozenset(TrainingTopic)


def a_window(weekday: Weekday, start: str, end: str, **changed: Any) -> Window:
    first, last = time.fromisoformat(start), time.fromisoformat(end)
    return window(uuid4(), weekday, first, last, changed.get("valid_from"), changed.get("valid_until"))


def spans(windows: list[Window], first: date, last: date, away: list[Absence] | None = None) -> list[tuple[str, str]]:
    return [
        (f"{each.starts_at:%a %H:%M}", f"{each.ends_at:%a %H:%M}") for each in free(windows, away or [], first, last)
    ]


def test_a_week_of_windows_comes_in_order_and_as_one_where_they_touch() -> None:
    """Monday morning and Wednesday evening; two that touch, and one within another, are one."""
    windows = [
        a_window(Weekday.WEDNESDAY, "18:00", "00:00"),
        a_window(Weekday.MONDAY, "09:00", "10:00"),
        a_window(Weekday.MONDAY, "07:00", "09:00"),
        a_window(Weekday.MONDAY, "07:30", "08:00"),
    ]
    found = spans(windows, TODAY, TODAY + timedelta(days=6))
    assert found == [("Mon 07:00", "Mon 10:00"), ("Wed 18:00", "Thu 00:00")]


def test_windows_hold_from_and_until_their_days_and_never_while_she_is_away() -> None:
    """Both days included."""
    mondays = [
        a_window(Weekday.MONDAY, "07:00", "09:00", valid_from=date(2026, 11, 30), valid_until=date(2026, 12, 14))
    ]
    found = free(mondays, [], date(2026, 11, 1), date(2026, 12, 31))
    assert [each.starts_at.day for each in found] == [30, 7, 14]
    away = [Absence(uuid4(), date(2026, 12, 7), date(2026, 12, 7))]
    assert [each.starts_at.day for each in free(mondays, away, date(2026, 11, 1), date(2026, 12, 31))] == [30, 14]


@pytest.mark.parametrize(
    ("day", "start", "end", "expected"),
    [
        # Clocks go forward at 01:00 on 28 March 2027, and back at 02:00 on 31 October 2027.
        (date(2027, 3, 28), "07:00", "09:00", ("06:00", "08:00")),
        (date(2027, 3, 28), "00:00", "03:00", ("00:00", "02:00")),
        (date(2027, 10, 31), "07:00", "09:00", ("07:00", "09:00")),
        (date(2027, 10, 31), "00:00", "03:00", ("23:00", "03:00")),
        (date(2027, 7, 4), "22:00", "00:00", ("21:00", "23:00")),
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(day: date, start: str, end: str, expected: tuple[str, str]) -> None:
    """On the days when clocks change as on others; answers are UTC."""
    (found,) = free([a_window(Weekday.SUNDAY, start, end)], [], day, day)
    assert (f"{found.starts_at:%H:%M}", f"{found.ends_at:%H:%M}") == expected
    assert found.starts_at.tzinfo is UTC


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Weekday)), st.integers(0, 1438), st.integers(1, 1440)).filter(
            lambda each: each[1] < each[2]
        ),
        max_size=12,
    ),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=4),
    st.dates(date(2026, 3, 20), date(2026, 11, 5)),
)
def test_free_times_are_in_order_apart_and_within_a_window(
    given_windows: list[tuple[Weekday, int, int]], given_days: list[tuple[int, int]], first: date
) -> None:
    """Whatever windows and days away: no two overlap, none is on a day away, each minute of one is in a window."""
    windows = [Window(uuid4(), weekday, start, end) for weekday, start, end in given_windows]
    away = [
        Absence(uuid4(), first + timedelta(days=start), first + timedelta(days=start + length))
        for start, length in given_days
    ]
    found = free(windows, away, first, first + timedelta(days=20))
    assert all(one.ends_at < other.starts_at for one, other in pairwise(found))
    for each in found:
        start = each.starts_at.astimezone(LONDON)
        assert each.starts_at < each.ends_at
        assert not any(one.covers(start.date()) for one in away)
        assert any(one.holds_on(start.date()) for one in windows)


def test_what_cannot_be_is_refused() -> None:
    """An end before the start, days that end before they begin, are past or never end."""
    for start, end in (("09:00", "09:00"), ("10:00", "09:00")):
        with pytest.raises(WindowWrong):
            a_window(Weekday.MONDAY, start, end)
    with pytest.raises(WindowWrong):
        a_window(Weekday.MONDAY, "07:00", "09:00", valid_from=TODAY, valid_until=TODAY - timedelta(days=1))
    for first, last in ((TODAY, TODAY - timedelta(days=1)), (TODAY - timedelta(days=9), TODAY - timedelta(days=1))):
        with pytest.raises(DaysWrong):
            absence(uuid4(), first, last, TODAY)
    with pytest.raises(DaysWrong):
        absence(uuid4(), TODAY, TODAY + timedelta(days=800), TODAY)
    assert absence(uuid4(), TODAY, None, TODAY).last_day == TODAY


def held(on: date, *covers: TrainingTopic) -> TrainingSession:
    return TrainingSession(FORCE, uuid4(), on, TrainingWay.ONLINE, "Session", frozenset(covers) or ALL)


FIRST, SECOND = date(2026, 2, 11), date(2026, 5, 20)
TWELVE = TrainingRules(lasts_months=12)


@pytest.mark.parametrize(
    ("attended", "elsewhere", "rules", "expected"),
    [
        ([], None, TrainingRules(), Trained(None, None)),
        ([held(FIRST)], None, TrainingRules(), Trained(FIRST, None)),
        ([held(FIRST), held(SECOND)], None, TrainingRules(), Trained(SECOND, None)),
        ([], FIRST, TrainingRules(), Trained(FIRST, None)),
        ([held(SECOND)], FIRST, TWELVE, Trained(SECOND, date(2027, 5, 20))),
        ([held(FIRST, TrainingTopic.STREETSAFE)], None, TrainingRules(), Trained(None, None)),
        (
            [held(FIRST, TrainingTopic.STREETSAFE), held(SECOND, TrainingTopic.HOW_IT_WORKS, TrainingTopic.QUESTIONS)],
            None,
            TWELVE,
            Trained(FIRST, date(2027, 2, 11)),
        ),
        # Only a part was refreshed: the rest counts from when it was learnt.
        ([held(SECOND, TrainingTopic.STREETSAFE)], FIRST, TWELVE, Trained(FIRST, date(2027, 2, 11))),
        (
            [held(FIRST, TrainingTopic.STREETSAFE)],
            None,
            TrainingRules(covers=(TrainingTopic.STREETSAFE,)),
            Trained(FIRST, None),
        ),
    ],
)
def test_training_is_what_sessions_covered_as_long_as_it_counts(
    attended: list[TrainingSession], elsewhere: date | None, rules: TrainingRules, expected: Trained
) -> None:
    """Each topic counts from the last session that covered it; whoever lacks one is not trained."""
    assert trained(attended, elsewhere, rules) == expected


def test_months_end_where_they_end() -> None:
    """The last day of a shorter month, leap years among them."""
    assert months_later(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert months_later(date(2027, 8, 31), 6) == date(2028, 2, 29)
    assert months_later(date(2026, 12, 15), 1) == date(2027, 1, 15)


def test_a_session_has_a_name_covers_something_and_is_attended_once_it_was_held() -> None:
    """Nobody is trained by what is still to come."""
    with pytest.raises(SessionWrong):
        session(FORCE, uuid4(), TODAY, TrainingWay.ONLINE, "  ", ALL)
    with pytest.raises(SessionWrong):
        session(FORCE, uuid4(), TODAY, TrainingWay.ONLINE, "Session", [])
    found = session(FORCE, uuid4(), TODAY, TrainingWay.IN_PERSON, "Session", ALL)
    refuse_not_held(found, TODAY)
    with pytest.raises(SessionNotHeld):
        refuse_not_held(found, TODAY - timedelta(days=1))


def an_officer(**changed: Any) -> Officer:
    given: dict[str, Any] = {
        "force_id": FORCE,
        "id": "officer-1",
        "name": "PC Example",
        "kind": OfficerKind.OFFICER,
        "team_id": "bs1",
        "team_ids": frozenset({"bs1"}),
        "trained_on": date(2026, 1, 5),
        **changed,
    }
    return Officer(**given)


NEXT_WEEK = TODAY + timedelta(days=7)


@pytest.mark.parametrize(
    ("changed", "on", "expected"),
    [
        ({}, None, []),
        ({}, NEXT_WEEK, []),
        ({"trained_until": TODAY}, None, []),
        ({"trained_until": TODAY}, NEXT_WEEK, [TrainingExpired]),
        ({"trained_until": TODAY - timedelta(days=1)}, None, [TrainingExpired]),
        ({"trained_on": TODAY + timedelta(days=1)}, None, [NotTrained]),
        ({"trained_on": None, "active": False}, NEXT_WEEK, [OfficerOff, NotTrained]),
        ({"kind": OfficerKind.PCSO}, None, [KindNotAllowed]),
        ({"absences": (Absence(uuid4(), TODAY, TODAY),)}, NEXT_WEEK, []),
        ({"absences": (Absence(uuid4(), TODAY, TODAY),)}, None, []),
        ({"absences": (Absence(uuid4(), TODAY, NEXT_WEEK),)}, NEXT_WEEK, [OfficerAway]),
    ],
)
def test_what_keeps_an_officer_from_walking_is_said_in_full(
    changed: dict[str, Any], on: date | None, expected: list[type[Exception]]
) -> None:
    """On the day of the walk where one is known, else as of today; every reason, not the first."""
    rules = WalkRules(officers=(OfficerKind.OFFICER,))
    assert [type(each) for each in what_stops(an_officer(**changed), rules, TODAY, on)] == expected
