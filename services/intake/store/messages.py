"""Messages to her, their facts sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.messages import MessageKind, Refuse
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
    request: Stored


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
    row = await tx.fetch_row(QUERIES.message_to_send, force_id, id_)
    if row is None or row["facts"] is None or row["channel"] is None:
        return None
    return Outgoing(MessageKind(row["kind"]), Channel(row["channel"]), row["facts"], stored(row))


async def refuse(tx: Transaction, force_id: str, id_: UUID, reason: Refuse) -> None:
    """A message that may leave no longer keeps the reason, and nothing of what it would have said."""
    await tx.run(QUERIES.refuse_message, force_id, id_, reason)
