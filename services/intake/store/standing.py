"""What she wants, and what is proposed and agreed: sealed columns of her request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Sealed:
    """`wanted` None for a request of an earlier version; `times` None while nothing is proposed or agreed."""

    wanted: bytes | None
    times: bytes | None
    asked_at: datetime


async def standing(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Sealed]:
    """By request; those nobody knows are left out."""
    rows = await tx.fetch(QUERIES.standing, list(ids))
    return {row["id"]: Sealed(row["wanted"], row["times"], row["requested_at"]) for row in rows}


async def hold(tx: Transaction, ids: Iterable[UUID]) -> None:
    """Hold requests still until the transaction ends."""
    await tx.fetch(QUERIES.hold_requests, list(ids))


async def save_times(tx: Transaction, times: Sequence[tuple[str, UUID, bytes | None]]) -> None:
    """Write (force, request, sealed)."""
    if times:
        await tx.run(QUERIES.save_times, *(list(column) for column in zip(*times, strict=True)))


async def save_wanted(tx: Transaction, force_id: str, request_id: UUID, sealed: bytes) -> None:
    """Write what she wants now."""
    await tx.run(QUERIES.save_wanted, force_id, request_id, sealed)


async def let_go(tx: Transaction, force_id: str, request_id: UUID) -> None:
    """Nobody has this request in hand any more."""
    await tx.run(QUERIES.let_go, force_id, request_id)
