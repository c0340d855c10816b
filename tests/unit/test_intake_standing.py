"""What she may still change, how she may be reached then, and when she may be called: by table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from services.intake.domain.card import call_of
from services.intake.domain.person import Person
from services.intake.domain.refusals import FieldsWrong
from services.intake.domain.requests import RequestState
from services.intake.domain.standing import Offer, Reach, Standing, amended, may_amend
from services.intake.domain.wishes import Wishes
from shared.contracts.kinds import Channel, PartOfDay, Point, Weekday
from shared.contracts.walk_requests import Availability, ContactRules, WalkRequestAmended

ALL_DAY = tuple(PartOfDay)
TODAY = date(2026, 11, 23)
PLACE = Point(latitude=51.45, longitude=-2.59)
ELSEWHERE = Point(latitude=51.38, longitude=-2.36)
FRIDAYS = Availability(days=(Weekday.FRIDAY,), parts=(PartOfDay.EVENING,))
RULES = ContactRules(
    channels=(Channel.EMAIL, Channel.PHONE),
    may_leave_voicemail=True,
    excluded_officers=("a1",),
    excluded_teams=("bs9",),
)
ADA = Person("Ada", RULES, "ada@example.com", "07700 900982", None, wishes=Wishes(words="Dark", recognise="marmalade"))


def reach(**changed: Any) -> Reach:
    given = {"channels": RULES.channels, "times": ALL_DAY, "may_say_police": False, "may_leave_voicemail": True}
    return Reach(**{**given, **changed})


class TestReaching:
    def test_what_is_left_empty_stays(self) -> None:
        """Details, word, words and whom she excludes."""
        assert reach().of(ADA) == ADA

    def test_what_no_way_needs_any_more_is_forgotten(self) -> None:
        """The number with the call, the address with the e-mail; a voicemail needs a call."""
        by_mail = reach(channels=(Channel.EMAIL,)).of(ADA)
        assert (by_mail.email, by_mail.phone, by_mail.rules.may_leave_voicemail) == ("ada@example.com", None, False)
        by_text = reach(channels=(Channel.TEXT,)).of(ADA)
        assert (by_text.email, by_text.phone) == (None, "07700 900982")

    def test_whom_she_excludes_is_added_and_never_taken_away(self) -> None:
        """Who holds her link may be whom she fears."""
        changed = reach(excluded_officers=("b2", "a1")).of(ADA)
        assert (changed.rules.excluded_officers, changed.rules.excluded_teams) == (("a1", "b2"), ("bs9",))

    @pytest.mark.parametrize(
        ("channels", "given", "field"),
        [
            ((Channel.LETTER,), {}, "address"),
            ((Channel.EMAIL, Channel.LETTER), {"email": "new@example.com"}, "address"),
            ((), {}, "channels"),
        ],
    )
    def test_a_way_without_its_detail_is_refused_by_field(
        self, channels: tuple[Channel, ...], given: dict[str, str], field: str
    ) -> None:
        """What we never had cannot be kept."""
        with pytest.raises(FieldsWrong) as wrong:
            reach(channels=channels, **given).of(ADA)
        assert list(wrong.value.fields) == [field]

    @pytest.mark.parametrize(
        ("rules", "hour", "expected"),
        [
            ({"times": (PartOfDay.EVENING,)}, 12, 17),
            ({"times": (PartOfDay.EVENING,)}, 18, None),
            ({"times": ALL_DAY}, 3, 6),
            ({"times": ALL_DAY}, 12, None),
            ({"times": (PartOfDay.EARLY_MORNING,)}, 12, 6),
        ],
    )
    def test_she_may_be_called_in_her_hours_and_never_at_night(
        self, rules: dict[str, Any], hour: int, expected: int | None
    ) -> None:
        """Even where any time is safe nobody rings at three."""
        call = call_of(RULES.model_copy(update=rules), datetime(2026, 11, 23, hour, tzinfo=UTC))
        assert call is not None
        assert (call.not_before.hour if call.not_before else None) == expected

    @pytest.mark.parametrize("rules", [{"stopped": True}, {"channels": (Channel.EMAIL, Channel.TEXT)}, {"times": ()}])
    def test_who_has_not_said_that_a_call_is_safe_is_not_called(self, rules: dict[str, Any]) -> None:
        """Nor who has stopped all contact."""
        assert call_of(RULES.model_copy(update=rules), datetime(2026, 11, 23, 12, tzinfo=UTC)) is None


class TestAmending:
    def before(self, **changed: Any) -> WalkRequestAmended:
        given = {"request_id": uuid4(), "place": PLACE, "place_from_postcode": False, "availability": FRIDAYS}
        return WalkRequestAmended(**{**given, "route": (PLACE, ELSEWHERE), "group_walk_welcome": True, **changed})

    def test_what_she_does_not_change_stays(self) -> None:
        """Without a postcode the place and the way stay; without an answer about groups so does that."""
        was = self.before()
        assert amended(was.request_id, was, None, FRIDAYS, None, TODAY) == was
        assert amended(was.request_id, was, PLACE, FRIDAYS, True, TODAY) == was

    def test_a_new_place_has_no_way_yet(self) -> None:
        """Other places belonged to the old one."""
        was = self.before()
        now = amended(was.request_id, was, ELSEWHERE, FRIDAYS, False, TODAY)
        assert (now.place, now.route, now.place_from_postcode, now.group_walk_welcome) == (ELSEWHERE, (), True, False)

    def test_a_first_day_that_has_passed_is_kept_but_not_given_anew(self) -> None:
        """It was to come when she gave it."""
        past = FRIDAYS.model_copy(update={"earliest": date(2026, 11, 1)})
        was = self.before(availability=past)
        assert amended(was.request_id, was, None, past, None, TODAY) == was
        with pytest.raises(FieldsWrong):
            amended(was.request_id, self.before(), None, past, None, TODAY)

    def test_a_request_of_an_earlier_version_needs_its_place_again(self) -> None:
        """We did not keep it then."""
        with pytest.raises(FieldsWrong) as wrong:
            amended(uuid4(), None, None, FRIDAYS, None, TODAY)
        assert list(wrong.value.fields) == ["postcode"]
        assert amended(uuid4(), None, PLACE, FRIDAYS, None, TODAY).place == PLACE

    @pytest.mark.parametrize("state", list(RequestState))
    def test_where_and_when_can_be_changed_until_a_time_is_agreed(self, state: RequestState) -> None:
        """Afterwards she tells the officer, or cancels."""
        assert may_amend(state) == (state in (RequestState.RECEIVED, RequestState.ROUTED, RequestState.TAKEN))


def test_what_is_sealed_of_her_times_is_read_back_the_same() -> None:
    """Whatever of it there is."""
    at = datetime(2026, 12, 1, 18, tzinfo=UTC)
    offer = Offer(uuid4(), uuid4(), (at,), "The library", at)
    for standing in (
        Standing(),
        Standing(at, "The library"),
        Standing(offer=offer),
        Standing(at, "Here", replace(offer, answered=True, chosen=at)),
    ):
        assert Standing.from_json(standing.as_json()) == standing
