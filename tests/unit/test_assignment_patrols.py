"""Patrols: what may be logged, what is told of it, and until when it can be set right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assignment.domain.areas import Area
from services.assignment.domain.patrols import Logged, Patrol, log, part_of, withdraw
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import (
    AreaUnknown,
    ConversationsWrong,
    EndsBeforeStart,
    EndsInTheFuture,
    HeardTooLong,
    NotYourPatrol,
    PatrolStands,
    PatrolTooLong,
    PatrolTooOld,
    PatrolWithdrawnAlready,
)
from shared.contracts.kinds import PartOfDay
from shared.contracts.walks import PatrolKind
from shared.working_days import london

FORCE = "avon-and-somerset"
AREA = Area(FORCE, "bs1", "BS1", "bs1", "BS1", "v1")
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def said(**changed: Any) -> Logged:
    given: dict[str, Any] = {
        "kind": PatrolKind.FOOT,
        "starts_at": NOW - timedelta(minutes=90),
        "ends_at": NOW - timedelta(minutes=15),
        "conversations": 3,
        "heard": "Two lamps are out by the <b>bridge</b>",
    }
    return Logged(**{**given, **changed})


def somebody(id_: str = "ally-1", *, coordinator: bool = False, team: str | None = None) -> Person:
    return Person(FORCE, id_, coordinator, team, frozenset({team} if team else ()), None)


def logged(**changed: Any) -> Patrol:
    return log(uuid4(), AREA, said(**changed), somebody(), NOW)[0]


def test_what_is_told_names_neither_who_nor_what_was_heard() -> None:
    """Area, kind, day, part of the day, minutes and concerns; anybody signed in may have walked it."""
    concerns = (uuid4(), uuid4())
    patrol, told = log(uuid4(), AREA, said(concern_ids=(*concerns, concerns[0])), somebody(), NOW)
    assert (told.area_id, told.kind, told.on, told.part, told.minutes) == (
        "bs1",
        PatrolKind.FOOT,
        date(2026, 11, 23),
        PartOfDay.EVENING,
        75,
    )
    assert told.concern_ids == tuple(sorted(concerns))
    text = told.model_dump_json()
    assert "lamps" not in text and "ally-1" not in text and "18:" not in text
    assert patrol.said.heard == "Two lamps are out by the bridge"


@pytest.mark.parametrize(
    ("changed", "refusal", "field"),
    [
        ({"ends_at": NOW - timedelta(minutes=90)}, EndsBeforeStart, "ended_at"),
        ({"ends_at": NOW + timedelta(minutes=10)}, EndsInTheFuture, "ended_at"),
        ({"starts_at": NOW - timedelta(hours=13)}, PatrolTooLong, "ended_at"),
        (
            {"starts_at": NOW - timedelta(days=15), "ends_at": NOW - timedelta(days=15) + timedelta(hours=1)},
            PatrolTooOld,
            "started_at",
        ),
        ({"conversations": -1}, ConversationsWrong, "conversations"),
        ({"conversations": 201}, ConversationsWrong, "conversations"),
        ({"heard": "x" * 1001}, HeardTooLong, "heard"),
    ],
)
def test_what_cannot_be_right_is_refused_by_field(changed: dict[str, Any], refusal: Any, field: str) -> None:
    """Each names where to look."""
    with pytest.raises(refusal) as refused:
        logged(**changed)
    assert set(refused.value.fields) == {field}


def test_it_lies_in_an_area_of_the_force() -> None:
    """Elsewhere nobody could compare it with anything."""
    with pytest.raises(AreaUnknown):
        log(uuid4(), None, said(), somebody(), NOW)


@pytest.mark.parametrize(
    ("start", "end", "part"),
    [
        ("2026-11-23 08:00", "2026-11-23 08:59", PartOfDay.EARLY_MORNING),
        ("2026-11-23 08:00", "2026-11-23 10:30", PartOfDay.DAYTIME),
        ("2026-11-23 16:00", "2026-11-23 18:00", PartOfDay.DAYTIME),
        ("2026-11-23 16:00", "2026-11-23 18:01", PartOfDay.EVENING),
        ("2026-11-23 22:00", "2026-11-24 02:00", PartOfDay.EVENING),
        ("2026-11-23 23:30", "2026-11-24 02:00", PartOfDay.EARLY_MORNING),
        # Summer: the clocks say an hour more than UTC.
        ("2026-07-01 16:10", "2026-07-01 17:00", PartOfDay.EVENING),
    ],
)
def test_part_of_the_day_is_where_most_of_it_lay_in_london(start: str, end: str, part: PartOfDay) -> None:
    """Times given in UTC; the earlier of two that are equal."""
    starts_at, ends_at = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end))
    assert part_of(starts_at, ends_at) is part


@settings(deadline=None)
@given(st.integers(0, 60 * 24 * 300), st.integers(1, 720))
def test_part_of_the_day_is_one_of_those_it_went_through(start: int, minutes: int) -> None:
    """Over both clock changes."""
    starts_at = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(minutes=start)
    hours = {london(starts_at + timedelta(minutes=n)).hour for n in range(minutes)}
    bounds = {PartOfDay.EARLY_MORNING: (0, 9), PartOfDay.DAYTIME: (9, 17), PartOfDay.EVENING: (17, 24)}
    low, high = bounds[part_of(starts_at, starts_at + timedelta(minutes=minutes))]
    assert any(low <= hour < high for hour in hours)


def test_it_is_taken_back_within_a_day_by_who_logged_it_or_a_coordinator() -> None:
    """And what was heard goes with it; after a day others have counted it."""
    found = logged()
    for by in (somebody(), somebody("c", coordinator=True)):
        withdrawn, told = withdraw(found, by, NOW + timedelta(hours=24))
        assert (told.patrol_id, withdrawn.withdrawn_by, withdrawn.said.heard) == (found.id, by.id, None)
    with pytest.raises(NotYourPatrol):
        withdraw(found, somebody("ally-2", team="bs1"), NOW)
    with pytest.raises(PatrolStands):
        withdraw(found, somebody(), NOW + timedelta(hours=24, seconds=1))
    with pytest.raises(PatrolWithdrawnAlready):
        withdraw(replace(found, withdrawn_at=NOW, withdrawn_by="c"), somebody(), NOW)


def test_what_was_heard_is_read_by_the_team_who_logged_it_and_coordinators() -> None:
    """Another team's officers see neither."""
    found = logged()
    assert found.may_be_seen_by(somebody())
    assert found.may_be_seen_by(somebody("officer-1", team="bs1"))
    assert found.may_be_seen_by(somebody("c", coordinator=True))
    assert not found.may_be_seen_by(somebody("officer-4", team="bs2"))
