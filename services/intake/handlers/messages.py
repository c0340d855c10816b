"""Messages to her: decided, written, put on their way, called back, and what leaves in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid6 import uuid7

from services.intake.domain.messages import (
    Means,
    MessageKind,
    Refuse,
    Send,
    channel_for,
    may_send,
    outdated,
    tells,
)
from services.intake.domain.person import Person
from services.intake.domain.requests import RequestState
from services.intake.handlers.keeping import Keeping, Woman, open_request
from services.intake.store import messages as message_rows
from services.intake.store import participants as participant_rows
from services.intake.store.messages import Message
from shared import sendings
from shared.contracts.kinds import Channel
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell her, not before a moment (UTC); `facts` is what JSON can hold."""

    woman: Woman
    kind: MessageKind
    facts: Mapping[str, Any]
    not_before: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A message as it is written, and how it leaves; None where her rules do not let it."""

    message: Message
    going: sendings.Sending | None


def decide(keeping: Keeping, notices: Sequence[Notice], now: datetime) -> list[Decided]:
    """Messages through the one door; what her rules do not let pass is kept as withheld."""
    found = []
    for notice in notices:
        held, message_id = notice.woman.held, UUID(int=uuid7().int)
        channel, decision = _through_the_door(keeping, notice, now)
        if isinstance(decision, Send) and channel is not None:
            sealed = notice.woman.data_key.seal(dict(notice.facts), f"message {message_id}")
            message = Message(held.force_id, message_id, held.id, notice.kind, channel, None, sealed)
            found.append(Decided(message, sendings.Sending(held.force_id, message_id, channel, decision.at)))
        elif isinstance(decision, Refuse):
            message = Message(held.force_id, message_id, held.id, notice.kind, channel, decision, None)
            found.append(Decided(message, None))
    return found


def _through_the_door(keeping: Keeping, notice: Notice, now: datetime) -> tuple[Channel | None, Send | Refuse]:
    held, person = notice.woman.held, notice.woman.person
    channel = channel_for(person, keeping.means.get(held.force_id, Means()))
    if isinstance(channel, Refuse):
        # Whoever has stopped contact, or has withdrawn, is not to be rung either.
        return None, Refuse.STOPPED if person.rules.stopped else channel
    withdrawn = held.state is RequestState.WITHDRAWN
    decision = may_send(person.rules, channel, max(now, notice.not_before), withdrawn=withdrawn)
    if isinstance(decision, Refuse):
        return channel, decision
    return channel, _refused(person, notice.kind, notice.facts, channel, decision.at) or decision


def _refused(
    person: Person, kind: MessageKind, facts: Mapping[str, Any], channel: Channel, at: datetime
) -> Refuse | None:
    """What else keeps a message back that her rules would let pass at this moment."""
    addresses = {Channel.EMAIL: person.email, Channel.TEXT: person.phone, Channel.LETTER: person.address}
    if not addresses.get(channel):
        return Refuse.NO_ADDRESS
    if outdated(kind, facts, channel, at):
        return Refuse.LATE
    if kind is MessageKind.SURVEY and not person.rules.may_say_police and tells(facts["link"]):
        return Refuse.TELLING
    return None


async def send_on(tx: Transaction, keeping: Keeping, decided: Sequence[Decided]) -> None:
    """Put written messages on their way."""
    await sendings.schedule(tx, [one.going for one in decided if one.going is not None])
    for one in decided:
        keeping.metrics.message(one.message.kind, "withheld" if one.going is None else "due")


async def announce(tx: Transaction, keeping: Keeping, notices: Sequence[Notice], now: datetime) -> None:
    """Write messages and put them on their way, as far as her rules let them pass."""
    decided = decide(keeping, notices, now)
    await message_rows.add_messages(tx, [one.message for one in decided], now)
    await send_on(tx, keeping, decided)


async def call_back(tx: Transaction, request_ids: Iterable[UUID], kinds: Iterable[MessageKind]) -> None:
    """Take back messages that have not left yet: an old time, a walk that will not be."""
    for force_id, ids in (await message_rows.unsent_messages(tx, request_ids, kinds)).items():
        await sendings.cancel(tx, force_id, ids)


@dataclass(frozen=True, slots=True)
class ToSend:
    """A message the moment it leaves: to whom, and what is to be said, by the rules of now."""

    kind: MessageKind
    force_id: str
    reference: str
    person: Person
    facts: Mapping[str, Any]
    neutral: bool


async def message_to_send(
    tx: Transaction, force_id: str, message_id: UUID, now: datetime, *, keeping: Keeping
) -> ToSend | Refuse:
    """What is to leave now. The one door once more: her rules may have changed, and the hour has.

    What may leave no longer keeps the reason, and loses what it would have said.

    :raises NoLonger: there is no such message, or she was erased.
    :raises NotYet: not at this hour.
    """
    found = await message_rows.message_to_send(tx, force_id, message_id)
    if found is None:
        raise sendings.NoLonger("there is no such message")
    woman = open_request(keeping.vault, found.request)
    withdrawn = woman.held.state is RequestState.WITHDRAWN
    facts = woman.data_key.open(found.facts, f"message {message_id}")
    decision = may_send(woman.person.rules, found.channel, now, withdrawn=withdrawn)
    if isinstance(decision, Send) and decision.at > now and found.channel is not Channel.LETTER:
        # The post comes when it comes: her hours bind whoever writes or rings.
        raise sendings.NotYet(decision.at)
    refused = decision if isinstance(decision, Refuse) else Refuse.SUPERSEDED if found.superseded else None
    refused = refused or _refused(woman.person, found.kind, facts, found.channel, now)
    # Asked here alone: when a request is accepted it would cost time by which one could tell that she is known.
    if refused is None and await participant_rows.stopped_elsewhere(tx, force_id, woman.held.participant_id):
        refused = Refuse.ELSEWHERE
    if refused is None and await keeping.counting.is_flooded(tx, woman.person, found, force_id, message_id, now):
        refused = Refuse.FLOODED
    if refused is not None:
        outcome = "failed" if refused is Refuse.NO_ADDRESS else "withheld"
        keeping.metrics.message(found.kind, outcome)
        await message_rows.refuse(tx, force_id, message_id, refused)
        return refused
    neutral = not woman.person.rules.may_say_police
    return ToSend(found.kind, force_id, woman.held.reference, woman.person, facts, neutral)
