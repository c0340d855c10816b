"""Every kind of message under every combination of her rules and of what a force can send by: the whole table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations, product
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from uuid import UUID

import pytest

from services.intake.domain.messages import MESSAGE_HOURS, Means, MessageKind, Refuse
from services.intake.domain.person import Person
from services.intake.domain.requests import Held, RequestState
from services.intake.handlers.keeping import Keeping, Woman
from services.intake.handlers.messages import Decided, Notice, decide
from services.intake.vault import DataKey
from shared.contracts.kinds import Channel, PartOfDay
from shared.contracts.walk_requests import ContactRules
from shared.working_days import london
from tests.unit.test_intake_messages import FACTS

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FORCE = "avon-and-somerset"
ADDRESSES: dict[str, Any] = {"email": "ada@example.com", "phone": "07700 900982", "address": "1 High Street"}
EVERY_MEANS = (Means(), Means(texts=True), Means(texts=True, neutral_texts=True))

RULES = {"channels", "times", "may_say_police", "stopped"}
"""What of her rules binds a message; each is tried with every value below."""
OF_CALLS = {"may_leave_voicemail", "excluded_officers", "excluded_teams"}
"""What binds an officer's call and who sees her card: tests/unit/test_intake_contact_rules.py."""
ELSEWHERE = {
    Refuse.NO_ADDRESS: "below, with an address missing",
    Refuse.TELLING: "below, with a link that tells",
    Refuse.SUPERSEDED: "tests/integration/test_intake_door.py: an old time that was claimed before the new one",
    Refuse.ELSEWHERE: "tests/integration/test_intake_door.py: another stops",
    Refuse.FLOODED: "tests/integration: how much goes to one address a day",
}
"""Reasons that are no rule of hers, and where they are shown to hold."""

T = TypeVar("T")


def every_part(of: type[T]) -> Iterator[tuple[T, ...]]:
    """Every choice of none, some or all."""
    all_ = list(cast(Any, of))
    return chain.from_iterable(combinations(all_, many) for many in range(len(all_) + 1))


class Unsealed:
    """A key that hides nothing: what is decided here is not how it is sealed."""

    def seal(self, content: Any, place: str) -> bytes:
        return place.encode()


def decided(kind: MessageKind, person: Person, means: Means, *, withdrawn: bool = False, **facts: Any) -> Decided:
    """What becomes of a message of this kind to her, now."""
    state = RequestState.WITHDRAWN if withdrawn else RequestState.ARRANGED
    held = Held(FORCE, UUID(int=1), "WT-7KF3-92QX", state, UUID(int=2), None, UUID(int=3))
    woman = Woman(held, person, cast(DataKey, Unsealed()))
    keeping = cast(Keeping, SimpleNamespace(means={FORCE: means}))
    [found] = decide(keeping, [Notice(woman, kind, {**FACTS[kind], **facts}, NOON)], NOON)
    return found


def way(rules: ContactRules, means: Means) -> Channel | None:
    """By what she is written to, worked out from what she said and the force has; None where by nothing."""
    texts = means.texts if rules.may_say_police else means.neutral_texts
    for channel, can in ((Channel.EMAIL, True), (Channel.TEXT, texts), (Channel.LETTER, True)):
        if channel in rules.channels and can:
            return channel
    return None


def reason(kind: MessageKind, rules: ContactRules, means: Means, withdrawn: bool) -> Refuse | None:
    """Why it may not be sent, by her rules alone; None where it may."""
    by = way(rules, means)
    if rules.stopped:
        return Refuse.STOPPED
    if by is None:
        return Refuse.NO_TEXTS if Channel.TEXT in rules.channels else Refuse.CHANNEL
    if withdrawn:
        return Refuse.WITHDRAWN
    if not rules.times:
        return Refuse.NO_TIME
    if kind is MessageKind.REMINDER and by is Channel.LETTER:
        return Refuse.LATE
    return None


def test_every_rule_and_every_reason_is_in_the_table() -> None:
    """A new rule of hers, a new kind of message or a new reason has a row, or this fails."""
    assert set(ContactRules.model_fields) == RULES | OF_CALLS
    assert set(FACTS) == set(MessageKind)
    by_rule = {Refuse.STOPPED, Refuse.WITHDRAWN, Refuse.CHANNEL, Refuse.NO_TIME, Refuse.NO_TEXTS, Refuse.LATE}
    assert set(Refuse) == by_rule | set(ELSEWHERE)


@pytest.mark.parametrize("kind", list(MessageKind))
def test_what_may_not_be_sent_is_not_and_what_may_leaves_by_her_way_in_her_hours(kind: MessageKind) -> None:
    """Every channel, part of the day and permission, chosen or not, stopped or not, withdrawn or not."""
    seen = set()
    for channels, times, police, stopped, withdrawn, means in product(
        every_part(Channel), every_part(PartOfDay), (True, False), (True, False), (True, False), EVERY_MEANS
    ):
        rules = ContactRules(channels=channels, times=times, may_say_police=police, stopped=stopped)
        found = decided(kind, Person("Ada", rules, **ADDRESSES), means, withdrawn=withdrawn)
        why = reason(kind, rules, means, withdrawn)
        seen.add(why)
        case = (kind, rules, means, withdrawn)
        assert found.message.refused is why, case
        if why is not None:
            assert found.going is None and found.message.sealed is None, case
            continue
        assert found.going is not None and found.going.channel == found.message.channel == way(rules, means), case
        assert NOON <= found.going.due_at <= NOON + timedelta(days=1), case
        if set(times) != set(PartOfDay):
            clock = london(found.going.due_at).time()
            assert any(opens <= clock < closes for opens, closes in (MESSAGE_HOURS[part] for part in times)), case
    late = {Refuse.LATE} if kind is MessageKind.REMINDER else set()
    assert seen == {None, Refuse.STOPPED, Refuse.WITHDRAWN, Refuse.CHANNEL, Refuse.NO_TIME, Refuse.NO_TEXTS} | late


@pytest.mark.parametrize("kind", list(MessageKind))
@pytest.mark.parametrize(
    ("channel", "lacks"), [(Channel.EMAIL, "email"), (Channel.TEXT, "phone"), (Channel.LETTER, "address")]
)
def test_nothing_is_sent_to_an_address_nobody_has(kind: MessageKind, channel: Channel, lacks: str) -> None:
    """It is withheld, not failed again and again."""
    rules = ContactRules(channels=(channel,), may_say_police=True)
    found = decided(kind, Person("Ada", rules, **{**ADDRESSES, lacks: None}), Means(texts=True))
    assert found.going is None and found.message.refused is Refuse.NO_ADDRESS


def test_no_survey_goes_where_its_link_would_tell() -> None:
    """To her who may not be told who writes; to any other it goes."""
    telling = "https://feedback.avon-police.example/s/abc"
    for police in (True, False):
        rules = ContactRules(channels=(Channel.EMAIL,), may_say_police=police)
        found = decided(MessageKind.SURVEY, Person("Ada", rules, **ADDRESSES), Means(), link=telling)
        assert found.message.refused is (None if police else Refuse.TELLING)
