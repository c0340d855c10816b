"""Messages to her, their facts sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.messages import OF_A_TIME, MessageKind, Refuse, Told
from services.intake.domain.receipts import Account, Receipt
from services.intake.store import QUERIES
from services.intake.store.requests import Stored, stored
from shared.contracts.kinds import Channel
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be said, its facts sealed; or the reason why it may not be."""

    force_id: str
    id: UUID
    request_id: UUID
    kind: MessageKind
    channel: Channel | None
    refused: Refuse | None
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message about to leave."""

    kind: MessageKind
    channel: Channel
    facts: bytes
    superseded: bool
    """Whether she was told, or is to be told, another time since."""
    request: Stored


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message so far."""

    request_id: UUID
    kind: MessageKind
    channel: Channel
    attempt: int
    asked_at: datetime | None
    """Since when Notify has been asked and has not answered."""
    account: Account | None
    notify_id: UUID | None
    receipt: Receipt | None
    state: str
    """Of its sending: due, sent, failed or cancelled."""
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that a person has to post."""

    id: UUID
    kind: MessageKind
    request_id: UUID
    reference: str
    due_at: datetime


async def add_messages(tx: Transaction, messages: Sequence[Message], now: datetime) -> None:
    """Write messages."""
    if messages:
        await tx.run(QUERIES.add_messages, *columns(messages), now)


def columns(messages: Sequence[Message]) -> Sequence[list[Any]]:
    """As the arguments of a statement, a list a column."""
    return (
        [one.force_id for one in messages],
        [one.id for one in messages],
        [one.request_id for one in messages],
        [one.kind for one in messages],
        [one.channel for one in messages],
        [one.refused for one in messages],
        [one.sealed for one in messages],
    )


async def unsent_messages(
    tx: Transaction, request_ids: Iterable[UUID], kinds: Iterable[MessageKind]
) -> dict[str, list[UUID]]:
    """Messages that have not left yet, by force."""
    found: dict[str, list[UUID]] = {}
    for row in await tx.fetch(QUERIES.unsent_messages, list(request_ids), list(kinds)):
        found.setdefault(row["force_id"], []).append(row["id"])
    return found


async def message_to_send(tx: Transaction, force_id: str, id_: UUID) -> Outgoing | None:
    """A message with all it needs; None where there is none, or nothing of it may leave."""
    row = await tx.fetch_row(QUERIES.message_to_send, force_id, id_, list(OF_A_TIME))
    if row is None or row["facts"] is None or row["channel"] is None:
        return None
    return Outgoing(MessageKind(row["kind"]), Channel(row["channel"]), row["facts"], row["superseded"], stored(row))


async def refuse(tx: Transaction, force_id: str, id_: UUID, reason: Refuse) -> None:
    """A message that may leave no longer keeps the reason, and nothing of what it would have said."""
    await tx.run(QUERIES.refuse_message, force_id, id_, reason)


async def hold(tx: Transaction, force_id: str, id_: UUID) -> Fate | None:
    """What became of a message, held still until the transaction ends; None where there is none that could leave."""
    row: Any = await tx.fetch_row(QUERIES.hold_message, force_id, id_)
    if row is None:
        return None
    return Fate(
        row["request_id"],
        MessageKind(row["kind"]),
        Channel(row["channel"]),
        row["attempt"],
        row["asked_at"],
        Account(row["account"]) if row["account"] else None,
        row["notify_id"],
        Receipt(row["receipt"]) if row["receipt"] else None,
        row["state"],
        row["ended_at"],
    )


async def ask(tx: Transaction, force_id: str, id_: UUID, now: datetime, account: Account) -> None:
    """Notify is being asked to send it, by this account."""
    await tx.run(QUERIES.ask_notify, force_id, id_, now, account)


async def keep_answer(tx: Transaction, force_id: str, id_: UUID, notify_id: UUID | None) -> None:
    """Notify has answered: its id, or None where it did not take the message."""
    await tx.run(QUERIES.keep_notify, force_id, id_, notify_id)


async def keep_receipt(tx: Transaction, force_id: str, id_: UUID, receipt: Receipt, at: datetime) -> None:
    """What became of it in the end."""
    await tx.run(QUERIES.keep_receipt, force_id, id_, receipt, at)


async def next_attempt(tx: Transaction, force_id: str, id_: UUID) -> None:
    """It is sent once more, under another reference."""
    await tx.run(QUERIES.next_attempt, force_id, id_)


async def of_request(tx: Transaction, request_id: UUID) -> list[Told]:
    """What was told about a request, or was not, newest first."""
    rows: Any = await tx.fetch(QUERIES.messages_of_request, request_id)
    return [
        Told(
            row["id"],
            MessageKind(row["kind"]),
            Channel(row["channel"]) if row["channel"] else None,
            row["refused"],
            Receipt(row["receipt"]) if row["receipt"] else None,
            row["asked_at"] is not None,
            row["created_at"],
            row["state"],
            row["due_at"],
            row["ended_at"],
            row["fault"],
        )
        for row in rows
    ]


async def letters_to_post(tx: Transaction, force_id: str, now: datetime) -> list[Letter]:
    """Letters of a force that a person has to post, longest waiting first."""
    rows: Any = await tx.fetch(QUERIES.letters_to_post, force_id, now)
    return [
        Letter(row["id"], MessageKind(row["kind"]), row["request_id"], row["reference"], row["due_at"]) for row in rows
    ]
