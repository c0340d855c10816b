"""Days and clock times as officers type them, and how the pages say things."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from services.assignment import wording
from services.assignment.domain.follow_ups import FollowUpKind
from services.assignment.domain.referrals import ReferralState
from services.assignment.domain.walks import State, TriageReason
from services.assignment.forms.clock import NoSuchTime, moment, read_clock, read_day
from services.assignment.forms.record import RecordForm, point_of, record_of
from shared.contracts.kinds import Channel, PartOfDay, Point, Reason, Severity, Urgency, Weekday
from shared.contracts.refusals import Refusal
from shared.contracts.walks import RoutedBy
from shared.web.forms import Form


@pytest.mark.parametrize("typed", ["2026-11-24", "24/11/2026", "24.11.2026", "24-11-2026", " 24 11 2026 "])
def test_a_day_is_read_as_date_fields_send_it_and_as_people_type_it(typed: str) -> None:
    """Day first, as people here write it."""
    assert read_day(typed) == date(2026, 11, 24)


@pytest.mark.parametrize("typed", ["31/02/2026", "11/24/2026", "tomorrow", "", "24/11/26", "0000-01-01"])
def test_what_is_no_day_is_asked_for_again(typed: str) -> None:
    """With an example of a real one."""
    with pytest.raises(ValueError, match="Enter a real date"):
        read_day(typed)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("18:30", time(18, 30)),
        ("18:30:00", time(18, 30)),
        ("6.30pm", time(18, 30)),
        ("6pm", time(18, 0)),
        ("12am", time(0, 0)),
        ("12:05 PM", time(12, 5)),
        ("00:00", time(0, 0)),
    ],
)
def test_a_time_is_read_by_either_clock(typed: str, read: time) -> None:
    """Twenty-four hours or am and pm."""
    assert read_clock(typed) == read


@pytest.mark.parametrize("typed", ["25:00", "18:60", "13pm", "0am", "18", "half past six", ""])
def test_what_is_no_time_is_asked_for_again(typed: str) -> None:
    """A bare hour could be either half of the day."""
    with pytest.raises(ValueError, match="Enter a time"):
        read_clock(typed)


@pytest.mark.parametrize(
    ("day", "clock", "utc"),
    [
        (date(2026, 7, 1), time(18, 30), datetime(2026, 7, 1, 17, 30, tzinfo=UTC)),
        (date(2026, 12, 1), time(18, 30), datetime(2026, 12, 1, 18, 30, tzinfo=UTC)),
        (date(2026, 10, 25), time(1, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (date(2026, 3, 29), time(2, 0), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_is_london_time_across_both_clock_changes(day: date, clock: time, utc: datetime) -> None:
    """Of the hour that comes twice in October, the first is meant."""
    assert moment(day, clock) == utc


def test_an_hour_the_clocks_jump_over_is_refused() -> None:
    """In March there is no half past one on that Sunday."""
    with pytest.raises(NoSuchTime):
        moment(date(2026, 3, 29), time(1, 30))


ELSEWHERE = Point(latitude=51.4, longitude=-2.6)
BY_POSTCODE = Point(latitude=51.5, longitude=-2.5)


async def by_postcode(typed: str) -> Point:
    if typed != "BS1 4DJ":
        raise Refusal
    return BY_POSTCODE


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        (None, ELSEWHERE),
        ("  ", ELSEWHERE),
        ("BS1 4DJ", BY_POSTCODE),
        ("51.45,-2.59", Point(latitude=51.45, longitude=-2.59)),
        (" 51.45° ; -2.59° ", Point(latitude=51.45, longitude=-2.59)),
        ("51 -2", Point(latitude=51, longitude=-2)),
    ],
)
async def test_a_place_is_a_postcode_or_two_numbers_or_where_she_asked_to_walk(typed: str | None, place: Point) -> None:
    """As phones and maps write them."""
    assert await point_of(typed, ELSEWHERE, by_postcode) == place


@pytest.mark.parametrize(("typed", "fault"), [("SW1A", Refusal), ("0, 0", ValueError), ("91, 181", ValueError)])
async def test_what_is_no_place_in_the_kingdom_is_refused(typed: str, fault: type[Exception]) -> None:
    """Numbers of elsewhere, and postcodes that are none."""
    with pytest.raises(fault):
        await point_of(typed, ELSEWHERE, by_postcode)


async def test_a_record_is_read_line_by_line_and_day_by_day() -> None:
    """What was left empty has not been said; a time needs its day; what is wrong is named by its field."""
    given = {"day": "24/11/2026", "start": "6.30pm", "way": "51.45, -2.59\nBS1 4DJ", "sticker": "no"}
    record, _ = await record_of(Form(RecordForm.model_validate(given), given), by_postcode)
    assert record is not None
    assert (record.started_at, record.ended_at) == (datetime(2026, 11, 24, 18, 30, tzinfo=UTC), None)
    assert record.route == (Point(latitude=51.45, longitude=-2.59), BY_POSTCODE)
    assert (record.sticker_handed_over, record.signposted, record.came) == (False, None, None)
    wrong = {"start": "6.30pm", "way": "BS1 4DJ\nnowhere"}
    none, form = await record_of(Form(RecordForm.model_validate(wrong), wrong), by_postcode)
    assert none is None
    assert [field for field, _ in form.errors] == ["day", "way"]
    assert form.errors[1][1].startswith("Line 2: ")


@pytest.mark.parametrize(
    "words",
    [
        Reason,
        PartOfDay,
        Weekday,
        Channel,
        Severity,
        Urgency,
        State,
        TriageReason,
        RoutedBy,
        FollowUpKind,
        ReferralState,
    ],
)
def test_every_word_of_the_contracts_has_a_name_on_the_pages(words: type) -> None:
    """None is shown as its code."""
    assert [word for word in words if str(word) not in wording.SAID] == []  # type: ignore[attr-defined] # enums all


def test_several_words_stand_in_one_readable_line() -> None:
    """Small letters after the first, semicolons where a word holds a comma, days keep their capital."""
    assert wording.listed([Reason.BADLY_LIT, Reason.FOLLOWED]) == "Badly lit, being followed"
    assert wording.listed([Weekday.MONDAY, Weekday.FRIDAY]) == "Monday, Friday"
    assert wording.listed([PartOfDay.EVENING, PartOfDay.DAYTIME]) == "Evening, after 5pm; daytime, 9am to 5pm"
    assert wording.listed([]) == ""


@pytest.mark.parametrize(("hour", "waited"), [(9, "since today"), (33, "1 day"), (81, "3 days")])
def test_waiting_is_counted_in_days_as_people_count_them(hour: int, waited: str) -> None:
    """By the calendar in London, not by twenty-four hours."""
    now = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    since = datetime.fromtimestamp(now.timestamp() - hour * 3600, UTC)
    assert wording.days_waiting(since, now) == waited
