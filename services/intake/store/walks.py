"""Concerns of her walk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Transaction


async def add_concerns(tx: Transaction, concerns: Sequence[tuple[str, UUID, UUID]]) -> None:
    """Write (force, concern, walk)."""
    if concerns:
        await tx.run(QUERIES.add_concerns, *(list(column) for column in zip(*concerns, strict=True)))


async def walks_of_concerns(tx: Transaction, concern_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The walk of each concern that is known."""
    rows = await tx.fetch(QUERIES.walks_of_concerns, list(concern_ids))
    return {row["concern_id"]: row["walk_id"] for row in rows}


async def note_resolved(tx: Transaction, concern_ids: Iterable[UUID], now: datetime) -> None:
    """What became of these concerns is told."""
    await tx.run(QUERIES.note_resolved, list(concern_ids), now)
