"""Who is suggested for a walk and when: by example, and by the hundred against a slow reading of the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assignment.domain import matching
from services.assignment.domain.areas import Located
from services.assignment.domain.availability import Absence
from services.assignment.domain.matching import (
    HOURS,
    NOTICE,
    Candidate,
    Light,
    Nothing,
    Span,
    Suggested,
    Why,
    light,
    merged,
    suggest,
    sun,
    windows,
)
from services.assignment.domain.people import Officer, may_walk
from services.assignment.domain.requests import Request
from services.assignment.domain.walks import State, Walk
from shared.contracts.kinds import Channel, OfficerKind, PartOfDay, Point, Reason, Weekday
from shared.contracts.policy import WalkRules
from shared.contracts.walk_requests import Availability, ContactRules
from shared.contracts.walks import RoutedBy
from shared.working_days import LONDON

FORCE = "avon-and-somerset"
BRISTOL = Point(latitude=51.4545, longitude=-2.5879)
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
RULES = WalkRules()
WEEK = tuple(Weekday)


def a_request(number: int = 1, **changed: Any) -> Request:
    given: dict[str, Any] = {
        "id": UUID(int=number),
        "requested_at": MONDAY,
        "place": BRISTOL,
        "place_from_postcode": True,
        "lives_or_works_here": False,
        "reasons": (),
        "availability": Availability(days=WEEK, parts=tuple(PartOfDay)),
        "contact": ContactRules(channels=(Channel.EMAIL,)),
        "group_walk_welcome": False,
        "language": "en",
        **changed,
    }
    return Request(**given)


def free(*parts: PartOfDay, days: tuple[Weekday, ...] = WEEK, earliest: date | None = None) -> Availability:
    return Availability(days=days, parts=parts, earliest=earliest)


def a_walk(*requests: Request, **changed: Any) -> Walk:
    given: dict[str, Any] = {
        "force_id": FORCE,
        "id": UUID(int=99),
        "state": State.ROUTED,
        "place": BRISTOL,
        "requested_at": MONDAY,
        "arrange_by": MONDAY + timedelta(days=7),
        "requests": requests or (a_request(),),
        "located": Located("bs1", "bs1", "v1", RoutedBy.COVERS),
        **changed,
    }
    return Walk(**given)


def an_officer(id_: str = "officer-1", **changed: Any) -> Officer:
    given: dict[str, Any] = {
        "force_id": FORCE,
        "id": id_,
        "name": f"PC {id_}",
        "kind": OfficerKind.OFFICER,
        "team_id": "bs1",
        "team_ids": frozenset({"bs1"}),
        "trained_on": date(2026, 1, 5),
        **changed,
    }
    return Officer(**given)


def asked(walk: Walk, *candidates: Candidate, now: datetime = MONDAY, rules: WalkRules = RULES) -> Suggested:
    return suggest(walk, candidates, rules, now)


def in_london(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, LONDON).astimezone(UTC)


class TestWhatSpeaksForIt:
    def test_early_morning_and_evening_come_before_the_day(self) -> None:
        """They are wanted by the scheme; each says so."""
        (first, *_) = asked(a_walk(), Candidate(an_officer())).found
        assert first.part is not PartOfDay.DAYTIME
        assert Why.WANTED_HOUR in {each.what for each in first.because}

    def test_where_it_is_badly_lit_the_dark_is_weighed(self) -> None:
        """In November half past five is dark in Bristol: there she can show what she means."""
        dark = a_walk(a_request(reasons=(Reason.BADLY_LIT,)))
        (first, *_) = asked(dark, Candidate(an_officer())).found
        assert first.light is Light.DARK
        assert Why.SHOWS_THE_DARK in {each.what for each in first.because}

    def test_the_light_is_told_for_the_place_and_the_day(self) -> None:
        """Sunset in Bristol on 24 November 2026 is at 16:07, give or take; sunrise at 07:42."""
        rises, sets = sun(BRISTOL, date(2026, 11, 24))
        assert abs(rises - datetime(2026, 11, 24, 7, 42, tzinfo=UTC)) < timedelta(minutes=4)
        assert abs(sets - datetime(2026, 11, 24, 16, 7, tzinfo=UTC)) < timedelta(minutes=4)

    def test_the_sun_sets_earlier_in_london_than_in_penzance(self) -> None:
        """It is the place's own sun, not the force's."""
        on = date(2026, 11, 24)
        assert sun(Point(latitude=51.5, longitude=-0.1), on)[1] < sun(Point(latitude=50.12, longitude=-5.54), on)[1]

    @pytest.mark.parametrize(
        ("starts", "ends", "expected"),
        [
            (9, 10, Light.DAYLIGHT),
            (18, 19, Light.DARK),
            (5, 6, Light.DARK),
            (16, 17, Light.CHANGING),
            (7, 8, Light.CHANGING),
        ],
    )
    def test_a_walk_is_light_dark_or_changes_on_the_way(self, starts: int, ends: int, expected: Light) -> None:
        """From end to end, not only when they meet."""
        on = date(2026, 11, 24)
        span = Span(in_london(on, time(starts)), in_london(on, time(ends)))
        assert light(span, *sun(BRISTOL, on)) is expected

    def test_whoever_has_fewest_walks_comes_first(self) -> None:
        """All else equal, load is even."""
        busy, idle = Candidate(an_officer("a"), in_hand=3), Candidate(an_officer("b"), in_hand=0)
        assert asked(a_walk(), busy, idle).found[0].officer.id == "b"

    def test_whoever_spoke_with_her_comes_before_a_stranger_with_less_to_do(self) -> None:
        """She need not tell it all again."""
        known, idle = Candidate(an_officer("a"), in_hand=1, spoke_with_her=True), Candidate(an_officer("b"))
        (first, *_) = asked(a_walk(), known, idle).found
        assert first.officer.id == "a"
        assert Why.SPOKE_WITH_HER in {each.what for each in first.because}

    def test_whoever_speaks_her_language_comes_first(self) -> None:
        """And of the others it is said that nobody knows."""
        welsh, other = Candidate(an_officer("z", languages=("cy",))), Candidate(an_officer("a"))
        found = asked(a_walk(a_request(language="cy")), welsh, other).found
        assert found[0].officer.id == "z"
        assert all(
            Why.LANGUAGE_UNKNOWN in {each.what for each in one.because} for one in found if one.officer.id == "a"
        )

    def test_whoever_gave_it_back_comes_last(self) -> None:
        """Not never: there may be nobody else."""
        back, other = Candidate(an_officer("a"), gave_it_back=True), Candidate(an_officer("b"), in_hand=4)
        assert asked(a_walk(), back, other).found[0].officer.id == "b"
        assert asked(a_walk(), back).found

    def test_a_walk_in_hand_is_suggested_to_its_officer_alone(self) -> None:
        """Times for whoever has it; others are not asked."""
        walk = a_walk(state=State.TAKEN, officer_id="b", officer_kind=OfficerKind.OFFICER)
        found = asked(walk, Candidate(an_officer("a")), Candidate(an_officer("b"))).found
        assert {each.officer.id for each in found} == {"b"}

    def test_hours_nobody_entered_are_told(self) -> None:
        """Then somebody has to look, and one whose duty is known comes first."""
        on_duty = Candidate(an_officer("z"), works=(Span(MONDAY, MONDAY + timedelta(days=30)),))
        found = asked(a_walk(), Candidate(an_officer("a")), on_duty).found
        assert found[0].officer.id == "z"
        assert all(Why.HOURS_UNKNOWN in {w.what for w in one.because} for one in found if one.officer.id == "a")

    def test_several_officers_are_named_where_several_could(self) -> None:
        """No more than two times of one, and never two on a day."""
        found = asked(a_walk(), *(Candidate(an_officer(f"o-{n}")) for n in range(5))).found
        assert len({each.officer.id for each in found}) >= 3
        days = [(each.officer.id, each.starts_at.date()) for each in found]
        assert len(days) == len(set(days)) == matching.MOST


class TestWhatIsNeverSuggested:
    def test_no_time_within_a_day(self) -> None:
        """She has to be asked, to answer and to come."""
        assert all(each.starts_at >= MONDAY + NOTICE for each in asked(a_walk(), Candidate(an_officer())).found)

    def test_no_officer_and_no_team_she_excludes(self) -> None:
        """Neither by name nor by the officer's own team."""
        walk = a_walk(a_request(contact=ContactRules(channels=(), excluded_officers=("a",), excluded_teams=("bs9",))))
        other = an_officer("b", team_id="bs9", team_ids=frozenset({"bs1", "bs9"}))
        found = asked(walk, *map(Candidate, (an_officer("a"), other, an_officer("c")))).found
        assert {each.officer.id for each in found} == {"c"}

    @pytest.mark.parametrize(
        ("walk", "why"),
        [
            (a_walk(state=State.TRIAGE, located=None), Nothing.WALK_NOT_OPEN),
            (a_walk(state=State.COMPLETED), Nothing.WALK_NOT_OPEN),
            (a_walk(state=State.CANCELLED), Nothing.WALK_NOT_OPEN),
            (a_walk(a_request(contact=ContactRules(channels=(), stopped=True))), Nothing.CONTACT_STOPPED),
        ],
    )
    def test_a_walk_that_nobody_may_arrange(self, walk: Walk, why: Nothing) -> None:
        """Over, without a team, or contact is no longer safe."""
        assert asked(walk, Candidate(an_officer())) == Suggested(nothing=why)

    def test_each_emptiness_says_why(self) -> None:
        """Nobody may; two women of a group are never free together; nobody is free."""
        assert asked(a_walk(), Candidate(an_officer(trained_on=None))).nothing is Nothing.NOBODY_MAY_WALK
        apart = a_walk(
            a_request(1, availability=free(PartOfDay.EVENING, days=(Weekday.MONDAY,))),
            a_request(2, availability=free(PartOfDay.EVENING, days=(Weekday.FRIDAY,))),
        )
        assert asked(apart, Candidate(an_officer())).nothing is Nothing.NO_COMMON_WINDOW
        assert asked(a_walk(), Candidate(an_officer(), works=())).nothing is Nothing.NOBODY_IS_FREE

    def test_a_first_day_beyond_the_calendar_is_no_error(self) -> None:
        """The contract takes any date."""
        far = a_walk(a_request(availability=free(earliest=date.max)))
        assert asked(far, Candidate(an_officer())).nothing is Nothing.NO_COMMON_WINDOW

    def test_no_day_away_and_none_after_the_training_expired(self) -> None:
        """Of an officer who is away for a week and whose training counts until the week after."""
        away = Absence(UUID(int=1), date(2026, 11, 24), date(2026, 11, 30))
        officer = an_officer(absences=(away,), trained_until=date(2026, 12, 3))
        days = {each.starts_at.date() for each in asked(a_walk(), Candidate(officer)).found}
        assert days == {date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 3)}

    def test_who_withdrew_narrows_nothing(self) -> None:
        """Windows are those of the women still in the group."""
        walk = a_walk(
            a_request(1),
            a_request(2, availability=free(PartOfDay.DAYTIME, days=(Weekday.SUNDAY,)), withdrawn_at=MONDAY),
        )
        assert any(each.part is PartOfDay.EVENING for each in asked(walk, Candidate(an_officer())).found)


class TestClocks:
    @pytest.mark.parametrize("before", [date(2026, 10, 22), date(2027, 3, 25)])
    def test_the_evening_is_the_evening_on_both_sides_of_the_change(self, before: date) -> None:
        """By London clocks, whether they were put back or forward that night."""
        walk = a_walk(a_request(availability=free(PartOfDay.EVENING)))
        found = asked(walk, Candidate(an_officer()), now=in_london(before, time(12))).found
        assert {each.starts_at.astimezone(LONDON).time() for each in found} <= {
            time(h, m) for h in range(17, 22) for m in (0, 30)
        }
        offsets = {each.starts_at.astimezone(LONDON).utcoffset() for each in found}
        assert len(offsets) == 2

    def test_parts_that_meet_are_one_window(self) -> None:
        """Half past four to half past five is both hers and hers."""
        on = date(2026, 11, 25)
        one = windows([a_request(availability=free(PartOfDay.DAYTIME, PartOfDay.EVENING))], on)
        assert one == (Span(in_london(on, time(9)), in_london(on, time(22))),)
        two = windows([a_request(availability=free(PartOfDay.EARLY_MORNING, PartOfDay.EVENING))], on)
        assert len(two) == 2


Question = tuple[Walk, list[Candidate], WalkRules, datetime]
MINUTES = st.integers(0, 30 * 24 * 4).map(lambda quarter: timedelta(minutes=15 * quarter))
STEP = timedelta(minutes=5)
NOWS = st.sampled_from(
    [
        MONDAY,
        datetime(2026, 10, 23, 15, 20, tzinfo=UTC),  # clocks go back on the 25th
        datetime(2027, 3, 26, 23, 50, tzinfo=UTC),  # and forward on the 28th
        datetime(2026, 12, 24, 8, 0, tzinfo=UTC),
    ]
)


@st.composite
def spans(draw: st.DrawFn, now: datetime) -> tuple[Span, ...]:
    starts = draw(st.lists(MINUTES, max_size=6))
    return tuple(Span(now + at, now + at + draw(st.integers(1, 180)) * STEP) for at in starts)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    now = draw(NOWS)
    teams = st.sampled_from(["bs1", "bs2", "bs3"])
    ids = [f"officer-{n}" for n in range(draw(st.integers(1, 5)))]
    candidates = [
        Candidate(
            an_officer(
                id_,
                team_id=(team := draw(teams)),
                team_ids=frozenset({team, *draw(st.sets(teams))}),
                kind=draw(st.sampled_from(OfficerKind)),
                trained_on=draw(st.sampled_from([None, date(2026, 1, 5), date(2026, 1, 5)])),
                trained_until=draw(st.none() | st.dates(date(2026, 10, 1), date(2027, 5, 1))),
                active=draw(st.sampled_from([True, True, False])),
                languages=tuple(draw(st.sets(st.sampled_from(["cy", "pl"])))),
                absences=tuple(
                    Absence(UUID(int=n), first, first + timedelta(days=draw(st.integers(0, 6))))
                    for n, first in enumerate(
                        draw(st.lists(st.dates(date(2026, 10, 20), date(2027, 4, 20)), max_size=3))
                    )
                ),
            ),
            works=draw(st.none() | spans(now)),
            booked=draw(spans(now)),
            in_hand=draw(st.integers(0, 9)),
            spoke_with_her=draw(st.booleans()),
            gave_it_back=draw(st.booleans()),
        )
        for id_ in ids
    ]
    requests = [
        a_request(
            number,
            availability=Availability(
                days=tuple(draw(st.sets(st.sampled_from(WEEK)))),
                parts=tuple(draw(st.sets(st.sampled_from(PartOfDay)))),
                earliest=draw(st.none() | st.dates(date(2026, 10, 1), date(2027, 5, 1))),
            ),
            reasons=tuple(draw(st.sets(st.sampled_from(Reason), max_size=2))),
            contact=ContactRules(
                channels=(),
                excluded_officers=tuple(draw(st.sets(st.sampled_from(ids), max_size=2))),
                excluded_teams=tuple(draw(st.sets(teams, max_size=1))),
            ),
            language=draw(st.sampled_from(["en", "cy"])),
            withdrawn_at=draw(st.sampled_from([None, None, now])),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    rules = WalkRules(
        officers=tuple(draw(st.sets(st.sampled_from(OfficerKind), min_size=1))),
        minimum_minutes=draw(st.sampled_from([0, 30, 90, 240])),
    )
    holder = draw(st.none() | st.sampled_from(ids))
    state = State.ROUTED if holder is None else draw(st.sampled_from([State.TAKEN, State.ARRANGED]))
    return a_walk(*requests, state=state, officer_id=holder), candidates, rules, now


def moments_of(span: Span) -> list[datetime]:
    """Every five minutes of it: whatever is drawn begins and ends on those."""
    return [span.starts_at + n * STEP for n in range((span.ends_at - span.starts_at) // STEP)]


@settings(max_examples=150, deadline=None)
@given(questions())
def test_whatever_is_asked_nothing_forbidden_is_suggested(
    question: Question,
) -> None:
    """Moment by moment hers and the officer's, nobody else's, by London clocks; and no officer the rules refuse."""
    walk, candidates, rules, now = question
    found = asked(walk, *candidates, now=now, rules=rules)
    assert (not found.found) == (found.nothing is not None)
    by_id = {each.officer.id: each for each in candidates}
    still = [each for each in walk.requests if each.withdrawn_at is None] or list(walk.requests)
    for one in found.found:
        candidate = by_id[one.officer.id]
        assert may_walk(one.officer, walk, rules, now, one.starts_at)
        assert walk.officer_id in (None, one.officer.id)
        for request in walk.requests:
            assert one.officer.id not in request.contact.excluded_officers
            assert one.officer.team_id not in request.contact.excluded_teams
        assert one.ends_at - one.starts_at >= timedelta(minutes=max(60, rules.minimum_minutes))
        assert one.starts_at >= now + NOTICE
        for moment in moments_of(Span(one.starts_at, one.ends_at)):
            there = moment.astimezone(LONDON)
            assert candidate.works is None or any(s.starts_at <= moment < s.ends_at for s in candidate.works)
            assert not any(s.starts_at <= moment < s.ends_at for s in candidate.booked)
            (part,) = [part for part, (begins, ends) in HOURS.items() if begins <= there.time() < ends]
            for request in still:
                assert not request.availability.days or WEEK[there.weekday()] in request.availability.days
                assert not request.availability.parts or part in request.availability.parts
                assert request.availability.earliest is None or there.date() >= request.availability.earliest


@settings(max_examples=60, deadline=None)
@given(questions(), st.randoms(use_true_random=False))
def test_the_same_question_has_the_same_answer(question: Question, random: Any) -> None:
    """In whatever order officers, their spans and the women of a group are read."""
    walk, candidates, rules, now = question

    def shuffled(given: Any) -> Any:
        given = list(given)
        random.shuffle(given)
        return given

    again = [
        replace(
            each,
            works=None if each.works is None else tuple(shuffled(each.works)),
            booked=tuple(shuffled(each.booked)),
        )
        for each in shuffled(candidates)
    ]
    other = replace(walk, requests=tuple(shuffled(walk.requests)))
    assert asked(other, *again, now=now, rules=rules) == asked(walk, *candidates, now=now, rules=rules)


@settings(max_examples=60, deadline=None)
@given(questions())
def test_where_something_is_possible_something_is_suggested(
    question: Question,
) -> None:
    """A half hour at which all rules hold, found by trying them all, is never called nothing."""
    walk, candidates, rules, now = question
    found = asked(walk, *candidates, now=now, rules=rules)
    if found.found or found.nothing in (Nothing.WALK_NOT_OPEN, Nothing.CONTACT_STOPPED, Nothing.NOBODY_MAY_WALK):
        return
    still = [each for each in walk.requests if each.withdrawn_at is None] or list(walk.requests)
    length = timedelta(minutes=max(60, rules.minimum_minutes))
    first = max([(now + NOTICE).astimezone(LONDON).date(), *(r.availability.earliest or date.min for r in still)])
    able = [
        each
        for each in candidates
        if may_walk(each.officer, walk, rules, now)
        and walk.officer_id in (None, each.officer.id)
        and not walk.excludes_officer(each.officer.id)
        and not walk.excludes_team(each.officer.team_id)
    ]
    for ahead in range(matching.HORIZON):
        for span in windows(still, first + timedelta(days=ahead)):
            at = span.starts_at
            while at + length <= span.ends_at:
                walked = Span(at, at + length)
                for each in able:
                    works = each.works is None or any(one.holds(walked) for one in merged(each.works))
                    taken = any(one.overlaps(walked) for one in each.booked)
                    able_then = may_walk(each.officer, walk, rules, now, at)
                    assert at < now + NOTICE or not works or taken or not able_then
                at += timedelta(minutes=30)
