"""The way out: events are written in the transaction that made them true, and published by the relay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from uuid6 import uuid7

from shared.contracts.envelope import Event, Received
from shared.database import Queries, Transaction
from shared.observability import current_correlation, current_traceparent

QUERIES: Final = Queries.read(Path(__file__).with_name("queries.sql"))
LARGEST_EVENT: Final = 900_000
"""Bytes of data an event may have: below every broker's default record limit (1 MiB), headers included."""


class EventTooLarge(Exception):
    """An event is larger than the bus takes. Raised when it is appended, so that nothing of the change stands."""


@dataclass(frozen=True, slots=True)
class Fact:
    """An event to be published, of this force, true at `at` (UTC), and what caused it if an event did."""

    event: Event
    force_id: str
    at: datetime
    cause: Received[Event] | None = None


async def append(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Append events to the outbox, in this order, in the caller's transaction.

    Events of one key get gapless sequences and ascending positions under the lock of that key.

    :raises EventTooLarge: an event's data exceeds LARGEST_EVENT.
    """
    if not facts:
        return
    columns: tuple[list[Any], ...] = tuple([] for _ in range(11))
    correlation, trace = current_correlation(), current_traceparent()
    for fact in facts:
        event = fact.event
        data = event.model_dump_json(exclude_none=True).encode()
        if len(data) > LARGEST_EVENT:
            raise EventTooLarge(f"{event.name} of {len(data)} bytes")
        if event.precise:
            cause = fact.cause
            row = (
                fact.force_id,
                event.bus_topic,
                event.key,
                UUID(int=uuid7().int),
                event.type(),
                fact.at,
                (cause.correlation_id or cause.id) if cause else correlation,
                cause.id if cause else None,
                cause.traceparent if cause else trace,
                None,
                data,
            )
        else:
            day = fact.at.replace(hour=0, minute=0, second=0, microsecond=0)
            row = (
                fact.force_id,
                event.bus_topic,
                event.key,
                uuid4(),
                event.type(),
                day,
                None,
                None,
                None,
                None,
                data,
            )
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    await tx.run(QUERIES.append, *columns)


async def append_raw(tx: Transaction, rows: Sequence[RawFact]) -> None:
    """Append records that are no events of ours (parked bytes), with their own headers."""
    if not rows:
        return
    await tx.run(
        QUERIES.append,
        [row.force_id for row in rows],
        [row.topic for row in rows],
        [row.key for row in rows],
        [UUID(int=uuid7().int) for _ in rows],
        ["" for _ in rows],
        [row.at for row in rows],
        [None for _ in rows],
        [None for _ in rows],
        [None for _ in rows],
        [row.headers for row in rows],
        [row.data for row in rows],
    )


@dataclass(frozen=True, slots=True)
class RawFact:
    """A record to be published as it stands: `headers` is JSON, pairs of name and base64."""

    force_id: str
    topic: str
    key: UUID
    at: datetime
    headers: str
    data: bytes
