"""The way out: events are written in the transaction that made them true, and published by the relay."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from pydantic_core import to_json

from shared.contracts.envelope import Event, Received
from shared.database import Queries, Transaction
from shared.observability import current_correlation, current_traceparent

QUERIES: Final = Queries.read(Path(__file__).with_name("queries.sql"))
LARGEST_EVENT: Final = 900_000
"""Bytes of data an event may have: below every broker's default record limit (1 MiB), headers included."""

_RANDOM_BITS: Final = ~(0xF << 76 | 0x3 << 62)
_VERSION_7: Final = 0x7 << 76 | 0x2 << 62


class EventTooLarge(Exception):
    """An event is larger than the bus takes. Raised when it is appended, so that nothing of the change stands."""


class Thread(NamedTuple):
    """What an event is part of: the correlation id and the W3C traceparent of the call or event it answers."""

    correlation_id: UUID | None
    traceparent: str | None

    @classmethod
    def current(cls) -> Thread:
        """Of the call being answered now."""
        return cls(current_correlation(), current_traceparent())


class Fact(NamedTuple):
    """An event to be published, of this force, true at `at` (UTC), and what caused it if an event did.

    `thread` is given where several calls are answered together; otherwise it is that of the call being answered.
    """

    event: Event
    force_id: str
    at: datetime
    cause: Received[Event] | None = None
    thread: Thread | None = None


async def append(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Append events to the outbox, in this order, in the caller's transaction.

    Events of one key get gapless sequences and ascending positions under the lock of that key.

    :raises EventTooLarge: an event's data exceeds LARGEST_EVENT.
    """
    if not facts:
        return
    rows: list[tuple[Any, ...]] = []
    current = Thread.current()
    for fact, id_ in zip(facts, _new_ids(len(facts)), strict=True):
        event = fact.event
        data = to_json(event, exclude_none=True)
        if len(data) > LARGEST_EVENT:
            raise EventTooLarge(f"{event.name} of {len(data)} bytes")
        if event.precise:
            cause, thread = fact.cause, fact.thread or current
            rows.append(
                (
                    fact.force_id,
                    event.bus_topic,
                    event.key,
                    id_,
                    event.type(),
                    fact.at,
                    (cause.correlation_id or cause.id) if cause else thread.correlation_id,
                    cause.id if cause else None,
                    cause.traceparent if cause else thread.traceparent,
                    data,
                )
            )
        else:
            day = fact.at.replace(hour=0, minute=0, second=0, microsecond=0)
            rows.append((fact.force_id, event.bus_topic, event.key, uuid4(), event.type(), day, None, None, None, data))
    *columns, data_column = zip(*rows, strict=True)
    # No array at all stands for one of nulls: only records that are no events of ours bring headers of their own.
    await tx.run(QUERIES.append, *columns, None, data_column)


def _new_ids(many: int) -> list[UUID]:
    """Version 7 ids of this millisecond (RFC 9562 §5.7); they identify, they do not order."""
    drawn = os.urandom(10 * many)
    moment = (time.time_ns() // 1_000_000) << 80
    return [
        UUID(int=moment | int.from_bytes(drawn[n : n + 10], "big") & _RANDOM_BITS | _VERSION_7)
        for n in range(0, 10 * many, 10)
    ]


async def append_raw(tx: Transaction, rows: Sequence[RawFact]) -> None:
    """Append records that are no events of ours (parked bytes), with their own headers."""
    if not rows:
        return
    await tx.run(
        QUERIES.append,
        [row.force_id for row in rows],
        [row.topic for row in rows],
        [row.key for row in rows],
        _new_ids(len(rows)),
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
