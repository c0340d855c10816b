"""The one door: whether and when she may be written to, and who may see who she is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.card import Asker, refuse_contact
from services.intake.domain.messages import (
    MESSAGE_HOURS,
    Means,
    MessageKind,
    Refuse,
    Send,
    channel_for,
    may_send,
    outdated,
    reminder_from,
    says_police,
)
from services.intake.domain.person import Person
from services.intake.domain.refusals import CardNotFound, ContactNotYours, ContactStopped
from services.intake.domain.requests import Held, RequestState
from shared.contracts.kinds import Channel, PartOfDay
from shared.contracts.walk_requests import ContactRules

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def rules(**changed: object) -> ContactRules:
    """She may be reached by e-mail at any time unless a test says otherwise."""
    return ContactRules.model_validate({"channels": ["email"], **changed})


def local(*moment: int) -> datetime:
    """A moment on a London clock, as UTC."""
    return datetime(*moment, tzinfo=LONDON).astimezone(UTC)  # type: ignore[misc, arg-type] # year to minute


def sent_at(times: list[str], now: datetime) -> datetime:
    decision = may_send(rules(times=times), Channel.EMAIL, now)
    assert isinstance(decision, Send)
    return decision.at


def test_a_message_leaves_at_once_when_every_time_is_safe() -> None:
    """Who allows all parts of the day is written to at any hour, at night as well."""
    assert sent_at(["early-morning", "daytime", "evening"], local(2026, 11, 24, 3, 30)) == local(2026, 11, 24, 3, 30)


def test_a_message_at_noon_waits_for_the_evening_when_only_evenings_are_safe() -> None:
    """Noon is no evening: the message leaves at five."""
    assert sent_at(["evening"], local(2026, 11, 24, 12)) == local(2026, 11, 24, 17)


def test_a_message_late_at_night_waits_for_the_next_safe_morning() -> None:
    """Eleven at night is past every part: the message leaves when the next allowed one begins."""
    assert sent_at(["early-morning", "evening"], local(2026, 11, 24, 23)) == local(2026, 11, 25, 6)


def test_the_last_minute_of_a_safe_time_is_safe_and_the_next_is_not() -> None:
    """Daytime ends at five."""
    assert sent_at(["daytime"], local(2026, 11, 24, 16, 59)) == local(2026, 11, 24, 16, 59)
    assert sent_at(["daytime"], local(2026, 11, 24, 17)) == local(2026, 11, 25, 9)


def test_hours_stay_on_the_london_clock_when_it_goes_forward() -> None:
    """On 28 March 2027 the clock goes forward at one: nine in the morning is eight in UTC from then on."""
    assert sent_at(["daytime"], local(2027, 3, 27, 18)) == datetime(2027, 3, 28, 8, tzinfo=UTC)
    assert sent_at(["daytime"], local(2027, 3, 26, 18)) == datetime(2027, 3, 27, 9, tzinfo=UTC)


def test_hours_stay_on_the_london_clock_when_it_goes_back() -> None:
    """On 25 October 2026 the clock goes back at two: nine in the morning is nine in UTC from then on."""
    assert sent_at(["daytime"], local(2026, 10, 24, 18)) == datetime(2026, 10, 25, 9, tzinfo=UTC)
    assert sent_at(["daytime"], local(2026, 10, 23, 18)) == datetime(2026, 10, 24, 8, tzinfo=UTC)


def test_nothing_is_sent_once_contact_is_stopped() -> None:
    """Contact that is no longer safe ends for every message."""
    assert may_send(rules(stopped=True), Channel.EMAIL, NOON) is Refuse.STOPPED


def test_nothing_is_sent_about_a_withdrawn_request() -> None:
    """Who has withdrawn is left in peace."""
    assert may_send(rules(), Channel.EMAIL, NOON, withdrawn=True) is Refuse.WITHDRAWN


def test_nothing_is_sent_by_a_channel_she_did_not_choose() -> None:
    """An address we know is not a channel we may use."""
    assert may_send(rules(channels=["phone"]), Channel.EMAIL, NOON) is Refuse.CHANNEL


def test_nothing_is_sent_when_no_time_is_safe() -> None:
    """No allowed part of the day means no message, not any hour."""
    assert may_send(rules(times=[]), Channel.EMAIL, NOON) is Refuse.NO_TIME


def test_a_message_is_neutral_unless_she_lets_us_say_police() -> None:
    """Silence means no."""
    unasked, allowed = (may_send(rules(**given), Channel.EMAIL, NOON) for given in ({}, {"may_say_police": True}))
    assert isinstance(unasked, Send) and unasked.neutral
    assert isinstance(allowed, Send) and not allowed.neutral


@given(
    channels=st.sets(st.sampled_from(list(Channel))),
    times=st.sets(st.sampled_from(list(PartOfDay))),
    police=st.booleans(),
    stopped=st.booleans(),
    withdrawn=st.booleans(),
    channel=st.sampled_from(list(Channel)),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.sampled_from([UTC, LONDON])),  # noqa: DTZ001 (hypothesis adds the zone)
)
def test_whatever_her_rules_no_message_breaks_them(
    channels: set[Channel],
    times: set[PartOfDay],
    police: bool,
    stopped: bool,
    withdrawn: bool,
    channel: Channel,
    now: datetime,
) -> None:
    """A message that may be sent goes by her channel, in her hours, not before now and within two days."""
    hers = ContactRules(channels=tuple(channels), times=tuple(times), may_say_police=police, stopped=stopped)
    decision = may_send(hers, channel, now, withdrawn=withdrawn)
    if stopped or withdrawn or channel not in channels or not times:
        assert isinstance(decision, Refuse)
        return
    assert isinstance(decision, Send)
    assert decision.neutral is not police
    assert now <= decision.at <= now.astimezone(UTC) + timedelta(hours=48)
    if len(times) < len(PartOfDay):
        clock = decision.at.astimezone(LONDON).time()
        assert any(opens <= clock < closes for opens, closes in (MESSAGE_HOURS[part] for part in times))


@given(
    times=st.sets(st.sampled_from(list(PartOfDay)), min_size=1),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (hypothesis adds the zone)
)
def test_a_message_asked_about_again_when_it_is_due_may_leave(times: set[PartOfDay], now: datetime) -> None:
    """The door asked again at the moment it named lets the message pass, so none is put off for ever."""
    first = may_send(rules(times=[*times]), Channel.EMAIL, now)
    assert isinstance(first, Send)
    assert may_send(rules(times=[*times]), Channel.EMAIL, first.at) == first


@pytest.mark.parametrize(
    ("channels", "police", "means", "expected"),
    [
        (["phone"], True, Means(texts=True), Refuse.CHANNEL),
        (["phone", "letter"], True, Means(texts=True), Channel.LETTER),
        (["letter", "text", "email"], True, Means(texts=True), Channel.EMAIL),
        (["letter", "text"], True, Means(texts=True), Channel.TEXT),
        (["letter", "text"], False, Means(texts=True), Channel.LETTER),
        (["text"], False, Means(texts=True, neutral_texts=True), Channel.TEXT),
        (["text"], False, Means(texts=True), Refuse.NO_TEXTS),
        (["text", "phone"], True, Means(), Refuse.NO_TEXTS),
        ([], True, Means(texts=True), Refuse.CHANNEL),
    ],
)
def test_a_message_goes_by_a_way_she_chose_and_the_force_has(
    channels: list[str], police: bool, means: Means, expected: Channel | Refuse
) -> None:
    """E-mail, else a text if the force can send one that tells no more than she allows, else a letter; calls are made
    by an officer."""
    assert channel_for(Person("Ada", rules(channels=channels, may_say_police=police)), means) == expected


def test_a_reminder_leaves_the_day_before_and_not_for_a_walk_that_is_tomorrow() -> None:
    """From nine in the morning on a London clock; who was told the day before needs no reminder."""
    starts = local(2027, 3, 29, 18)
    assert reminder_from(starts, local(2027, 3, 20, 12)) == local(2027, 3, 28, 9)
    assert reminder_from(starts, local(2027, 3, 27, 23)) == local(2027, 3, 28, 9)
    assert reminder_from(starts, local(2027, 3, 28, 0)) is None
    assert reminder_from(starts, local(2027, 3, 29, 12)) is None


def test_what_would_come_too_late_is_not_sent() -> None:
    """A time that has passed, a survey or a proposal that is closed, a reminder by post."""
    past = {"starts_at": NOON.isoformat(), "until": NOON.isoformat()}
    later = {"starts_at": (NOON + timedelta(minutes=1)).isoformat(), "until": (NOON + timedelta(minutes=1)).isoformat()}
    for kind in (MessageKind.ARRANGED, MessageKind.MOVED, MessageKind.REMINDER, MessageKind.SURVEY):
        assert outdated(kind, past, Channel.EMAIL, NOON)
        assert not outdated(kind, later, Channel.EMAIL, NOON)
    assert outdated(MessageKind.REMINDER, later, Channel.LETTER, NOON)
    assert not outdated(MessageKind.CANCELLED, {}, Channel.EMAIL, NOON)


@pytest.mark.parametrize(
    "words",
    [
        "Meet outside Bridewell Police Station",
        "We reported it to the police.",
        "Your officer will be there",
        "Two PCSOs patrol there now",
        "Call 101",
        "the Walk and Talk scheme",
        "Gofynnwch i’r heddlu",
        "eich swyddog",
    ],
)
def test_words_that_give_away_the_police_are_recognised(words: str) -> None:
    """A neutral message leaves such words out."""
    assert says_police(words)


@pytest.mark.parametrize("words", ["Outside the library", "The lamp was repaired", "By the front desk of the shop"])
def test_words_that_tell_nothing_pass(words: str) -> None:
    """Places and repairs are no secrets."""
    assert not says_police(words)


# The contact card

OFFICER = Asker("officer-avon-1", "bs1", coordinator=False, officer=True)
COORDINATOR = Asker("coordinator-avon", None, coordinator=True, officer=False)


def a_request(officer: str | None = "officer-avon-1", state: RequestState = RequestState.TAKEN) -> Held:
    return Held("avon-and-somerset", UUID(int=1), "WT-7KF3-92QX", state, UUID(int=2), officer, UUID(int=3))


def test_the_officer_assigned_and_the_coordinator_may_open_the_contact_card() -> None:
    """Nobody else has to reach her."""
    refuse_contact(OFFICER, a_request(), rules())
    refuse_contact(COORDINATOR, a_request(officer=None), rules())


def test_the_officer_to_whom_her_call_was_handed_over_may_open_it_too() -> None:
    """The officer of her walk may as well; whoever she excludes may not, caller or no."""
    handed = replace(a_request("officer-avon-2"), caller_id="officer-avon-1")
    refuse_contact(OFFICER, handed, rules())
    refuse_contact(replace(OFFICER, id="officer-avon-2"), handed, rules())
    with pytest.raises(CardNotFound):
        refuse_contact(OFFICER, handed, rules(excluded_officers=["officer-avon-1"]))


@pytest.mark.parametrize("assigned", ["officer-avon-2", None])
def test_another_officer_of_the_team_may_not_open_the_contact_card(assigned: str | None) -> None:
    """To be of her team is not enough; it is answered as if she excluded them."""
    with pytest.raises(CardNotFound):
        refuse_contact(OFFICER, a_request(assigned), rules())


def test_an_officer_she_excludes_learns_not_even_that_she_asked() -> None:
    """For whom she fears there is no such request, whether officer, team or coordinator."""
    for asker, changed in (
        (OFFICER, {"excluded_officers": ["officer-avon-1"]}),
        (OFFICER, {"excluded_teams": ["bs1"]}),
        (COORDINATOR, {"excluded_officers": ["coordinator-avon"]}),
    ):
        with pytest.raises(CardNotFound):
            refuse_contact(asker, a_request(), rules(**changed))


def test_nobody_opens_the_contact_card_once_contact_is_stopped() -> None:
    """The coordinator is no exception."""
    for asker in (OFFICER, COORDINATOR):
        with pytest.raises(ContactStopped):
            refuse_contact(asker, a_request(), rules(stopped=True))


def test_the_contact_card_of_a_withdrawn_request_closes_to_its_officer() -> None:
    """There is no walk to arrange any more."""
    with pytest.raises(ContactNotYours):
        refuse_contact(OFFICER, a_request(state=RequestState.WITHDRAWN), rules())
