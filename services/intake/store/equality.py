"""Equality answers that wait among others, sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Waiting:
    """One woman's answers, sealed; the day they were given in London."""

    force_id: str
    id: UUID
    sealed: bytes
    answered_on: date | None = None


async def add_equality(tx: Transaction, answers: Sequence[Waiting]) -> None:
    """Let answers wait among others."""
    await tx.run(
        QUERIES.add_equality,
        [one.force_id for one in answers],
        [one.id for one in answers],
        [one.sealed for one in answers],
        [one.answered_on for one in answers],
    )


async def waiting_equality(tx: Transaction, forces: Iterable[str]) -> list[Waiting]:
    """All that wait in these forces and nobody else is releasing."""
    return [_waiting(row) for row in await tx.fetch(QUERIES.waiting_equality, list(forces))]


async def waiting_equality_named(tx: Transaction, ids: Iterable[UUID]) -> list[Waiting]:
    """Of these, the ones that still wait."""
    return [_waiting(row) for row in await tx.fetch(QUERIES.waiting_equality_named, list(ids))]


async def remove_equality(tx: Transaction, ids: Iterable[UUID]) -> None:
    """Forget what has left."""
    await tx.run(QUERIES.remove_equality, list(ids))


def _waiting(row: Row) -> Waiting:
    return Waiting(row["force_id"], row["id"], row["sealed"])
