"""What a request must have, what is refused, and what leaves intake of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.intake.domain.answers import leaves_on
from services.intake.domain.person import Person, normal_email, normal_phone, one_line, real_email, real_phone
from services.intake.domain.requests import REFERENCE_LETTERS, RequestWalk, reference, refuse_request
from services.intake.domain.wishes import Wishes
from services.intake.requesting import Words, slugs
from shared.contracts.kinds import PartOfDay, Point, Weekday
from shared.contracts.walk_requests import Availability, ContactRules

TODAY = date(2026, 11, 22)


def a_request(
    *,
    person: Person | None = None,
    availability: Availability | None = None,
    baseline: dict[str, str] | None = None,
) -> RequestWalk:
    return RequestWalk(
        "avon-and-somerset",
        person or Person("Ada", ContactRules.model_validate({"channels": ["email"]}), email="ada@example.com"),
        Point(latitude=51.45, longitude=-2.59),
        True,
        availability or Availability(days=(Weekday.MONDAY,), parts=(PartOfDay.EVENING,)),
        baseline=baseline or {},
    )


def test_a_whole_request_is_not_refused() -> None:
    """Nothing is missing."""
    assert refuse_request(a_request(), TODAY) == {}


@pytest.mark.parametrize(
    ("channel", "field"),
    [("email", "contact.email"), ("text", "contact.phone"), ("phone", "contact.phone"), ("letter", "contact.address")],
)
def test_a_channel_without_its_detail_is_refused_by_name(channel: str, field: str) -> None:
    """Who may be called must give a number."""
    rules = ContactRules.model_validate({"channels": [channel]})
    assert list(refuse_request(a_request(person=Person("Ada", rules)), TODAY)) == [field]


def test_a_request_without_any_channel_or_time_is_refused() -> None:
    """We would have no way and no hour to answer."""
    rules = ContactRules(channels=(), times=())
    assert set(refuse_request(a_request(person=Person("Ada", rules)), TODAY)) == {"contact.channels", "contact.times"}


def test_a_request_without_days_or_times_of_day_is_refused() -> None:
    """A walk needs both."""
    wrong = refuse_request(a_request(availability=Availability(days=(), parts=())), TODAY)
    assert set(wrong) == {"availability.days", "availability.parts"}


@pytest.mark.parametrize("earliest", [date(2026, 11, 21), date(2028, 1, 1)])
def test_an_earliest_day_in_the_past_or_far_away_is_refused(earliest: date) -> None:
    """Today is the first day there is."""
    when = Availability(days=(Weekday.MONDAY,), parts=(PartOfDay.EVENING,), earliest=earliest)
    assert list(refuse_request(a_request(availability=when), TODAY)) == ["availability.earliest"]


def test_every_baseline_question_may_be_left_out() -> None:
    """Her answers before the walk are a gift."""
    assert refuse_request(a_request(baseline={}), TODAY) == {}
    assert refuse_request(a_request(baseline={"safe-after-dark": "very-unsafe"}), TODAY) == {}


def test_an_answer_that_was_not_offered_is_refused() -> None:
    """The evaluation counts known answers only."""
    wrong = refuse_request(a_request(baseline={"safe-after-dark": "petrified", "shoe-size": "5"}), TODAY)
    assert set(wrong) == {"baseline.safe-after-dark", "baseline.shoe-size"}


def test_the_event_tells_nothing_of_who_she_is() -> None:
    """Place and rules leave intake; name, address and number do not."""
    rules = ContactRules.model_validate({"channels": ["email", "phone", "letter"]})
    person = Person("CANARY-NAME", rules, "canary@example.com", "020 7946 0999", "1 Canary Lane")
    told = a_request(person=person).event(UUID(int=1)).model_dump_json().lower()
    assert not any(mark in told for mark in ("canary", "7946"))


def test_a_person_comes_back_from_json_as_she_was() -> None:
    """What is sealed is what is opened."""
    person = Person("Zoë", ContactRules.model_validate({"channels": ["letter"]}), address="1 Long Lane\nBristol")
    assert Person.from_json(person.as_json()) == person
    told = replace(person, wishes=Wishes(words="It is dark", recognise="marmalade", helper="officer"), language="cy")
    assert Person.from_json(told.as_json()) == told


def test_a_person_sealed_by_an_earlier_version_is_still_read() -> None:
    """What was not asked then is not there; what a later version might have sealed is left alone."""
    rules = ContactRules.model_validate({"channels": ["email"]})
    old = {"name": "Ada", "rules": rules.model_dump(mode="json"), "email": "a@b.uk", "phone": None, "address": None}
    assert Person.from_json(old) == Person("Ada", rules, "a@b.uk")
    later = {**old, "wishes": {"words": "It is dark", "weather": "dry"}}
    assert Person.from_json(later).wishes == Wishes(words="It is dark")


def test_the_end_of_a_line_counts_as_one_letter() -> None:
    """Browsers send two, and count one."""
    words: TypeAdapter[str] = TypeAdapter(Words)
    assert words.validate_python("\r\n".join(["x" * 999] * 2)) == "\n".join(["x" * 999] * 2)
    with pytest.raises(ValueError, match="at most 2000"):
        words.validate_python("x" * 2001)
    for mark in ("\x00", "\x1b", "\u202e"):
        with pytest.raises(ValueError, match="ordinary punctuation"):
            words.validate_python(f"a{mark}b")


@pytest.mark.parametrize("text", ["ada@example.com", "a.b+c@mail.example.co.uk", "O'Neil@example.org"])
def test_real_email_addresses_pass(text: str) -> None:
    """Plus signs and apostrophes are ordinary."""
    assert real_email(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "a b@example.com",
        "ada@example.com\nBcc: x@example.com",
        "ada@exa_mple.com",
        "a..b@example.com",
        "ada@-example.com",
        "a" * 250 + "@example.com",
    ],
)
def test_what_is_no_email_address_is_refused(text: str) -> None:
    """Least of all one that would add a header."""
    with pytest.raises(ValueError, match="correct format"):
        real_email(text)


@pytest.mark.parametrize("text", ["07700 900982", "+44 808 157 0192", "(0117) 496-0123", "0033 1 23 45 67 89"])
def test_real_phone_numbers_pass(text: str) -> None:
    """However people write them."""
    assert real_phone(text) == text


@pytest.mark.parametrize("text", ["", "123", "07700 90098x", "+0 123456789", "0" * 40])
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    """Too short, too long, or letters."""
    with pytest.raises(ValueError, match="phone number"):
        real_phone(text)


def test_the_same_number_or_address_is_recognised_however_it_is_written() -> None:
    """So that the same woman is recognised when she asks again."""
    assert {normal_phone(text) for text in ("07700 900982", "+44 7700 900-982", "00447700900982")} == {"+447700900982"}
    assert normal_email(" Ada@Example.COM ") == "ada@example.com"


@pytest.mark.parametrize("text", ["Ada\nBcc: x", "Ada\x00", "Ada\u202egnp", "Ada\x85"])
def test_a_name_is_one_line_without_hidden_marks(text: str) -> None:
    """A name goes into messages: it may not break a line or turn the text around."""
    with pytest.raises(ValueError, match="one line"):
        one_line(text)


@given(st.binary(min_size=8, max_size=8))
def test_a_reference_can_be_read_out_on_the_phone(chance: bytes) -> None:
    """Eight letters in two groups, none easily misheard."""
    text = reference(chance)
    assert len(text) == 12
    assert text.startswith("WT-") and text[7] == "-"
    assert set(text[3:].replace("-", "")) <= set(REFERENCE_LETTERS)


def test_officers_numbers_are_read_as_people_type_them() -> None:
    """Commas, spaces, capitals and repeats."""
    assert slugs(" A1234, b77;A1234\n C-9 ") == ("a1234", "b77", "c-9")


def test_answers_leave_after_thirty_days_at_a_midnight_in_london() -> None:
    """The time they leave tells the day they were given, and no hour."""
    assert leaves_on(date(2026, 11, 22)) == datetime(2026, 12, 23, tzinfo=UTC)
    assert leaves_on(date(2026, 6, 1)) == datetime(2026, 7, 1, 23, tzinfo=UTC)
