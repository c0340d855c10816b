"""Calls and visits that are wanted, sealed, and those that are over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class WantedContact:
    """Whom an officer is to call or visit, and how soon: sealed under the master key."""

    force_id: str
    id: UUID
    sealed: bytes


async def add_wanted_contacts(tx: Transaction, wanted: Sequence[WantedContact]) -> None:
    """Let wanted contacts wait until they are told."""
    if wanted:
        await tx.run(
            QUERIES.add_wanted_contacts,
            [one.force_id for one in wanted],
            [one.id for one in wanted],
            [one.sealed for one in wanted],
        )


async def all_wanted_contacts(tx: Transaction, forces: Iterable[str]) -> list[WantedContact]:
    """All contacts that are wanted in these forces, sealed."""
    rows = await tx.fetch(QUERIES.all_wanted_contacts, list(forces))
    return [WantedContact(row["force_id"], row["id"], row["sealed"]) for row in rows]


async def take_wanted_contacts(tx: Transaction, ids: Iterable[UUID]) -> list[WantedContact]:
    """Take these out, to be told."""
    rows = await tx.fetch(QUERIES.take_wanted_contacts, list(ids))
    return [WantedContact(row["force_id"], row["id"], row["sealed"]) for row in rows]


async def note_wanted(tx: Transaction, request_ids: Sequence[UUID], now: datetime) -> None:
    """A call or visit is asked for."""
    await tx.run(QUERIES.note_wanted, list(request_ids), now)


async def note_callers(tx: Transaction, handed: Mapping[tuple[str, UUID], str | None]) -> None:
    """Write who makes the call or visit, by force and request; None where a coordinator does."""
    keys = list(handed)
    await tx.run(
        QUERIES.note_callers, [force for force, _ in keys], [request for _, request in keys], list(handed.values())
    )


async def note_follow_ups(tx: Transaction, ended: Sequence[tuple[str, UUID]], now: datetime) -> None:
    """Write that the call or visit these (force, request) were owed is over."""
    await tx.run(QUERIES.note_follow_ups, [force for force, _ in ended], [request for _, request in ended], now)
