"""What officers are told of their work, and when; no server, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.domain import passing
from services.assignment.domain.telling import (
    Choice,
    News,
    QuietHoursWrong,
    Rhythm,
    choice,
    due,
    may_be_told,
    news_of,
)
from services.assignment.domain.walks import Changed, ProposalAnswer, State
from shared.contracts.policy import WalkRules
from shared.contracts.walks import WalkArranged, WalkCancelled
from shared.working_days import LONDON, london
from tests.unit.test_assignment_passing import NOW, PROPOSAL, a_request, a_walk, an_officer


def a_choice(**changed: Any) -> Choice:
    return Choice(**{"force_id": "f", "person_id": "one", "email": "a@b.example", "rhythm": Rhythm.AT_ONCE, **changed})


def at(day: int, clock: time, month: int = 11) -> datetime:
    return datetime.combine(datetime(2026, month, day, tzinfo=LONDON).date(), clock, LONDON).astimezone(UTC)


QUIET = {"quiet_from": time(22), "quiet_to": time(7)}


@pytest.mark.parametrize(
    ("chosen", "now", "leaves"),
    [
        (a_choice(), at(23, time(3)), at(23, time(3))),
        (a_choice(**QUIET), at(23, time(21, 59)), at(23, time(21, 59))),
        (a_choice(**QUIET), at(23, time(22)), at(24, time(7))),
        (a_choice(**QUIET), at(24, time(6, 59)), at(24, time(7))),
        (a_choice(**QUIET), at(24, time(7)), at(24, time(7))),
        (a_choice(quiet_from=time(9), quiet_to=time(17)), at(23, time(12)), at(23, time(17))),
        (a_choice(rhythm=Rhythm.DAILY), at(23, time(7, 59)), at(23, time(8))),
        (a_choice(rhythm=Rhythm.DAILY), at(23, time(8)), at(24, time(8))),
        # The clocks go back on 25 October 2026: seven is seven all the same.
        (a_choice(**QUIET), at(24, time(23), 10), at(25, time(7), 10)),
        (a_choice(rhythm=Rhythm.NEVER), at(23, time(12)), None),
    ],
)
def test_it_leaves_at_once_or_once_a_day_and_never_in_quiet_hours(
    chosen: Choice, now: datetime, leaves: datetime | None
) -> None:
    """By London clocks, over midnight and over a change of the clocks."""
    assert due(chosen, now) == leaves


@given(
    st.integers(0, 220 * 24 * 60).map(lambda n: datetime(2026, 3, 27, tzinfo=UTC) + timedelta(minutes=n)),
    st.times(),
    st.times(),
)
def test_nothing_leaves_in_quiet_hours(now: datetime, begins: time, ends: time) -> None:
    """Whatever hours were chosen, across both changes of the clocks, and within a day and an hour."""
    begins, ends = (clock.replace(second=0, microsecond=0) for clock in (begins, ends))
    leaves = due(a_choice(quiet_from=begins, quiet_to=ends), now)
    assert leaves is not None and now <= leaves <= now + timedelta(hours=25)
    clock = london(leaves).time().replace(tzinfo=None)
    skipped = time(1) <= ends < time(2)  # an hour that does not exist in the night the clocks go forward
    if begins <= ends:
        assert skipped or not begins <= clock < ends
    else:
        assert skipped or ends <= clock < begins


def test_half_of_quiet_hours_is_asked_for_again() -> None:
    """By field."""
    with pytest.raises(QuietHoursWrong):
        choice("f", "one", "a@b.example", Rhythm.AT_ONCE, time(22), None, new_work=True, is_coordinator=False)


def told(changed: Changed, by: str | None = None) -> list[tuple[News, str | None]]:
    return [(each.news, each.person_id) for each in news_of(changed, by)]


class TestWhoIsToldWhat:
    def test_the_team_of_what_waits_and_the_officer_of_what_was_given(self) -> None:
        """What somebody did themselves is no news to them."""
        assert told(passing.give_back(a_walk(State.TAKEN)), "one") == [(News.WAITING, None)]
        handed = passing.to_officer(a_walk(State.TAKEN), an_officer(), WalkRules(), NOW)
        assert told(handed, "one") == [(News.GIVEN, "two")]
        assert told(handed, "two") == []
        moved = passing.to_officer(a_walk(State.ARRANGED), an_officer(), WalkRules(), NOW)
        assert told(moved, "coordinator") == [(News.CHANGED, "two")]

    def test_the_officer_of_her_answer(self) -> None:
        """A time she chose, or none; and that she withdrew."""
        walk = a_walk(State.ARRANGED)
        assert walk.starts_at is not None and walk.meeting_place is not None
        chosen = WalkArranged(
            walk_id=walk.id, request_ids=walk.request_ids, officer_id="one", team_id="bs1",
            starts_at=walk.starts_at, meeting_place=walk.meeting_place,
        )  # fmt: skip
        assert told(Changed(walk, (chosen,))) == [(News.CHOSEN, "one")]
        none = a_walk(State.TAKEN, proposal=replace(PROPOSAL, answer=ProposalAnswer.NONE_SUITS))
        assert told(Changed(none)) == [(News.NONE_SUITS, "one")]
        gone = WalkCancelled(walk_id=walk.id, request_ids=walk.request_ids, reason="withdrawn")
        assert told(Changed(walk, (gone,))) == [(News.CANCELLED, "one")]
        assert told(Changed(walk, (gone,)), "one") == []

    def test_whom_she_excludes_is_told_nothing(self) -> None:
        """Neither the officer nor the officer's team, nor a coordinator."""
        walk = a_walk(State.ROUTED, a_request(excluded_officers=("one", "boss"), excluded_teams=("bs7",)))
        teams = frozenset({"bs1"})
        assert not may_be_told(walk, "one", "bs1", teams, coordinates=False)
        assert not may_be_told(walk, "two", "bs7", teams, coordinates=False)
        assert not may_be_told(walk, "boss", None, frozenset(), coordinates=True)
        assert not may_be_told(walk, uuid4().hex, "bs9", frozenset({"bs9"}), coordinates=False)
        assert may_be_told(walk, "two", "bs1", teams, coordinates=False)
