"""Which officer could walk with her, and when: suggestions, best first, each with its reasons.

Pure: the same question has the same answer. What may never be is filtered out before anything is weighed; what is
merely better or worse is weighed, and shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from astral import Observer
from astral.sun import sunrise, sunset

from services.assignment.domain.arranging import LONGEST_AHEAD, busy_until
from services.assignment.domain.people import Officer, may_walk
from services.assignment.domain.requests import Request
from services.assignment.domain.walks import ENDED, State, Walk
from shared.contracts.kinds import PartOfDay, Point, Reason, Weekday
from shared.contracts.policy import WalkRules
from shared.working_days import LONDON, day

HORIZON: Final = 21
"""How many days ahead is looked, from the first she is free."""
NOTICE: Final = timedelta(hours=24)
"""No sooner than this: she has to be asked, to answer, and to come."""
STEP: Final = timedelta(minutes=30)
MOST: Final = 6
MOST_OF_ONE: Final = 2
"""Of one officer, where several could walk: a list of one name is no choice."""
HOURS: Final = {
    PartOfDay.EARLY_MORNING: (time(6), time(9)),
    PartOfDay.DAYTIME: (time(9), time(17)),
    PartOfDay.EVENING: (time(17), time(22)),
}
"""When walks are held in each part of the day, by London clocks. Nobody is asked out at night."""
_WEEK: Final = tuple(Weekday)
_DAY: Final = timedelta(days=1)


class Light(StrEnum):
    """What the sun does meanwhile, at the place itself."""

    DAYLIGHT = "daylight"
    CHANGING = "changing"
    DARK = "dark"


class Why(StrEnum):
    """What speaks for a suggestion, or has to be known of it."""

    HAS_THE_WALK = "has-the-walk"
    SPOKE_WITH_HER = "spoke-with-her"
    GAVE_IT_BACK = "gave-it-back"
    WANTED_HOUR = "wanted-hour"
    SHOWS_THE_DARK = "shows-the-dark"
    SPEAKS_HER_LANGUAGE = "speaks-her-language"
    LANGUAGE_UNKNOWN = "language-unknown"
    ON_DUTY = "on-duty"
    HOURS_UNKNOWN = "hours-unknown"
    OWN_TEAM = "own-team"
    WALKS_IN_HAND = "walks-in-hand"
    SOON = "soon"


class Nothing(StrEnum):
    """Why nothing can be suggested."""

    WALK_NOT_OPEN = "walk-not-open"
    CONTACT_STOPPED = "contact-stopped"
    NOBODY_MAY_WALK = "nobody-may-walk"
    NO_COMMON_WINDOW = "no-common-window"
    NOBODY_IS_FREE = "nobody-is-free"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From one moment to another (UTC); the end is not part of it."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Span) -> bool:
        """Whether some moment belongs to both."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def holds(self, other: Span) -> bool:
        """Whether every moment of the other belongs to this one."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at


@dataclass(frozen=True, slots=True)
class Candidate:
    """An officer, and what of her days matters here; `works` None where nobody has entered when she works."""

    officer: Officer
    works: tuple[Span, ...] | None = None
    booked: tuple[Span, ...] = ()
    in_hand: int = 0
    """Walks she has taken or arranged and not held yet."""
    spoke_with_her: bool = False
    gave_it_back: bool = False


@dataclass(frozen=True, slots=True)
class Because:
    """A reason, what it weighs, and a number where it tells one."""

    what: Why
    points: int
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An officer and a time; sunrise and sunset of that day at the place (UTC)."""

    officer: Officer
    starts_at: datetime
    ends_at: datetime
    part: PartOfDay
    light: Light
    sunrise: datetime
    sunset: datetime
    because: tuple[Because, ...]

    @property
    def points(self) -> int:
        """What it weighs in all."""
        return sum(each.points for each in self.because)


@dataclass(frozen=True, slots=True)
class Suggested:
    """Suggestions, best first; why there are none where there are none."""

    found: tuple[Suggestion, ...] = ()
    nothing: Nothing | None = None


@dataclass(frozen=True, slots=True)
class _Day:
    """A day she is free: from when to when, and the sun."""

    day: date
    ahead: int
    windows: tuple[Span, ...]
    sunrise: datetime
    sunset: datetime


def suggest(
    walk: Walk,
    candidates: Iterable[Candidate],
    rules: WalkRules,
    now: datetime,
    *,
    most: int = MOST,
) -> Suggested:
    """Whom to ask and what to propose. A walk that an officer has in hand is suggested to that officer alone.

    Never: an officer whom `may_walk` refuses, then or that day; a time outside her windows or within a day from `now`;
    one at which the officer does not work or is on another walk.
    """
    if walk.located is None or walk.state in ENDED or walk.state is State.TRIAGE:
        return Suggested(nothing=Nothing.WALK_NOT_OPEN)
    if walk.contact_stopped:
        return Suggested(nothing=Nothing.CONTACT_STOPPED)
    able = [
        each
        for each in sorted(candidates, key=lambda one: one.officer.id)
        if (walk.officer_id is None or each.officer.id == walk.officer_id)
        and may_walk(each.officer, walk, rules, now)
        # Once more and on purpose: whoever writes the rule above, whom she excludes is never suggested.
        and not walk.excludes_officer(each.officer.id)
        and not walk.excludes_team(each.officer.team_id)
    ]
    if not able:
        return Suggested(nothing=Nothing.NOBODY_MAY_WALK)
    days = tuple(_days(walk, now))
    if not days:
        return Suggested(nothing=Nothing.NO_COMMON_WINDOW)
    fewest = min(each.in_hand for each in able)
    possible = [
        _weighed(walk, candidate, at, day_, fewest)
        for candidate in able
        for at, day_ in _free(walk, candidate, days, rules, now)
    ]
    if not possible:
        return Suggested(nothing=Nothing.NOBODY_IS_FREE)
    possible.sort(key=lambda one: (-one.points, one.starts_at, one.officer.id))
    return Suggested(_different(possible, most, alone=len(able) == 1))


def windows(asked: Sequence[Request], on: date) -> tuple[Span, ...]:
    """When all of these women are free on a day; parts of the day that meet are one window.

    Where one of them named no day, or no part of it, any suits her.
    """
    if any(
        (each.availability.days and _WEEK[on.weekday()] not in each.availability.days)
        or (each.availability.earliest is not None and on < each.availability.earliest)
        for each in asked
    ):
        return ()
    parts = [part for part in PartOfDay if all(part in (each.availability.parts or PartOfDay) for each in asked)]
    return merged(
        Span(*(datetime.combine(on, clock, LONDON).astimezone(UTC) for clock in HOURS[part])) for part in parts
    )


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same moments in as few spans as can be, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.starts_at <= found[-1].ends_at:
            found[-1] = Span(found[-1].starts_at, max(found[-1].ends_at, span.ends_at))
        else:
            found.append(span)
    return tuple(found)


def sun(place: Point, on: date) -> tuple[datetime, datetime]:
    """Sunrise and sunset (UTC) of a day at a place of these islands, where the sun rises and sets every day."""
    at = Observer(place.latitude, place.longitude)
    return sunrise(at, on, tzinfo=UTC), sunset(at, on, tzinfo=UTC)


def light(span: Span, rises: datetime, sets: datetime) -> Light:
    """Whether it is light from end to end, dark from end to end, or changes on the way."""
    if rises <= span.starts_at and span.ends_at <= sets:
        return Light.DAYLIGHT
    if span.ends_at <= rises or sets <= span.starts_at:
        return Light.DARK
    return Light.CHANGING


def part_of(moment: datetime) -> PartOfDay:
    """The part of the day a moment belongs to, by London clocks."""
    clock = moment.astimezone(LONDON).time()
    if clock < HOURS[PartOfDay.EARLY_MORNING][1]:
        return PartOfDay.EARLY_MORNING
    return PartOfDay.DAYTIME if clock < HOURS[PartOfDay.DAYTIME][1] else PartOfDay.EVENING


def days_asked(walk: Walk, now: datetime) -> tuple[date, date]:
    """The days that are looked at, both included; the first is after the last where she is free beyond a year."""
    first = max([day(now + NOTICE), *(each.availability.earliest or date.min for each in _asked(walk))])
    last = min(first.toordinal() + HORIZON - 1, day(now + LONGEST_AHEAD).toordinal())
    return first, date.fromordinal(last)


def _asked(walk: Walk) -> tuple[Request, ...]:
    """The requests it answers: those not withdrawn, or all once none is left."""
    return tuple(each for each in walk.requests if each.id in walk.request_ids)


def _days(walk: Walk, now: datetime) -> Iterable[_Day]:
    first, last = days_asked(walk, now)
    for ahead in range((last - first).days + 1):
        on = first + ahead * _DAY
        if free := windows(_asked(walk), on):
            yield _Day(on, ahead, free, *sun(walk.place, on))


def _free(
    walk: Walk, candidate: Candidate, days: Iterable[_Day], rules: WalkRules, now: datetime
) -> Iterable[tuple[Span, _Day]]:
    """Every time at which she and this officer could walk."""
    works = None if candidate.works is None else merged(candidate.works)
    taken = merged(candidate.booked)
    for day_ in days:
        for window in day_.windows:
            # Training may expire before that day, and there are days away.
            if not may_walk(candidate.officer, walk, rules, now, window.starts_at):
                continue
            starts_at = window.starts_at
            while (on_it := Span(starts_at, busy_until(starts_at, rules))).ends_at <= window.ends_at:
                if (
                    starts_at >= now + NOTICE
                    and (works is None or any(span.holds(on_it) for span in works))
                    and not any(span.overlaps(on_it) for span in taken)
                ):
                    yield on_it, day_
                starts_at += STEP


def _weighed(walk: Walk, candidate: Candidate, at: Span, on: _Day, fewest: int) -> Suggestion:
    asked = _asked(walk)
    part, how_light = part_of(at.starts_at), light(at, on.sunrise, on.sunset)
    because: list[Because] = []
    if walk.officer_id == candidate.officer.id:
        because.append(Because(Why.HAS_THE_WALK, 5))
    if candidate.spoke_with_her:
        because.append(Because(Why.SPOKE_WITH_HER, 3))
    if candidate.gave_it_back:
        because.append(Because(Why.GAVE_IT_BACK, -6))
    if part is not PartOfDay.DAYTIME:
        because.append(Because(Why.WANTED_HOUR, 3))
    if how_light is not Light.DAYLIGHT and any(Reason.BADLY_LIT in each.reasons for each in asked):
        because.append(Because(Why.SHOWS_THE_DARK, 2 if how_light is Light.DARK else 1))
    if spoken := {each.language for each in asked} - {"en"}:
        if spoken <= set(candidate.officer.languages):
            because.append(Because(Why.SPEAKS_HER_LANGUAGE, 4))
        else:
            because.append(Because(Why.LANGUAGE_UNKNOWN, 0))
    because.append(Because(Why.ON_DUTY, 2) if candidate.works is not None else Because(Why.HOURS_UNKNOWN, 0))
    if walk.located is not None and candidate.officer.team_id == walk.located.team_id:
        because.append(Because(Why.OWN_TEAM, 1))
    because.append(Because(Why.WALKS_IN_HAND, -min(4, candidate.in_hand - fewest), candidate.in_hand))
    because.append(Because(Why.SOON, max(0, 4 - on.ahead // 2), on.ahead))
    return Suggestion(
        candidate.officer, at.starts_at, at.ends_at, part, how_light, on.sunrise, on.sunset, tuple(because)
    )


def _different(possible: Sequence[Suggestion], most: int, *, alone: bool) -> tuple[Suggestion, ...]:
    """The best of them, and of an officer's day no more than one: a quarter to six beside six is no choice."""
    chosen: list[Suggestion] = []
    days: set[tuple[str, date]] = set()
    many: Counter[str] = Counter()
    for one in possible:
        if len(chosen) == most:
            break
        who, on = one.officer.id, day(one.starts_at)
        if (who, on) in days or (not alone and many[who] == MOST_OF_ONE):
            continue
        chosen.append(one)
        days.add((who, on))
        many[who] += 1
    return tuple(chosen)
