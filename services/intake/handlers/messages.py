"""Messages to her: decided, written, put on their way, called back, and what leaves in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid6 import uuid7

from services.intake.domain.messages import MessageKind, Refuse, Send, channel_for, may_send
from services.intake.domain.person import Person
from services.intake.domain.requests import RequestState
from services.intake.handlers.keeping import Keeping, Woman, open_request
from services.intake.store import messages as message_rows
from services.intake.store.messages import Message
from shared import sendings
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


def decide(notices: Sequence[Notice], now: datetime) -> list[Decided]:
    """Messages through the one door; what her rules do not let pass is kept as withheld."""
    found = []
    for notice in notices:
        held, person = notice.woman.held, notice.woman.person
        message_id = UUID(int=uuid7().int)
        channel = channel_for(person)
        decision = (
            Refuse.CHANNEL
            if channel is None
            else may_send(
                person.rules,
                channel,
                max(now, notice.not_before),
                withdrawn=held.state is RequestState.WITHDRAWN,
            )
        )
        if isinstance(decision, Send) and channel is not None:
            sealed = notice.woman.data_key.seal(dict(notice.facts), f"message {message_id}")
            message = Message(held.force_id, message_id, held.id, notice.kind, channel, None, sealed)
            found.append(Decided(message, sendings.Sending(held.force_id, message_id, channel, decision.at)))
        else:
            refused = decision if isinstance(decision, Refuse) else None
            message = Message(held.force_id, message_id, held.id, notice.kind, channel, refused, None)
            found.append(Decided(message, None))
    return found


async def send_on(tx: Transaction, keeping: Keeping, decided: Sequence[Decided]) -> None:
    """Put written messages on their way."""
    await sendings.schedule(tx, [one.going for one in decided if one.going is not None])
    for one in decided:
        keeping.metrics.message(one.message.kind, "withheld" if one.going is None else "due")


async def announce(tx: Transaction, keeping: Keeping, notices: Sequence[Notice], now: datetime) -> None:
    """Write messages and put them on their way, as far as her rules let them pass."""
    decided = decide(notices, now)
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
) -> ToSend:
    """What is to leave now. The one door once more: her rules may have changed, and the hour has.

    :raises Undeliverable: her rules let it pass no longer.
    :raises NotYet: not at this hour.
    """
    found = await message_rows.message_to_send(tx, force_id, message_id)
    if found is None:
        raise sendings.Undeliverable("there is no such message")
    woman = open_request(keeping.vault, found.request)
    withdrawn = woman.held.state is RequestState.WITHDRAWN
    match may_send(woman.person.rules, found.channel, now, withdrawn=withdrawn):
        case Refuse() as refused:
            keeping.metrics.message(found.kind, "withheld")
            raise sendings.Undeliverable(refused.value)
        case Send(at=at) if at > now:
            raise sendings.NotYet(at)
        case Send(neutral=neutral):
            facts = woman.data_key.open(found.facts, f"message {message_id}")
            return ToSend(found.kind, force_id, woman.held.reference, woman.person, facts, neutral)
