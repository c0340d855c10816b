"""Answers that wait among others, sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Baseline:
    """Answers that wait, sealed; the day they were given in London."""

    force_id: str
    id: UUID
    sealed: bytes
    answered_on: date | None = None


async def add_baselines(tx: Transaction, answers: Sequence[Baseline]) -> None:
    """Let answers wait among others."""
    if answers:
        await tx.run(
            QUERIES.add_baselines,
            [one.force_id for one in answers],
            [one.id for one in answers],
            [one.sealed for one in answers],
            [one.answered_on for one in answers],
        )


async def waiting_baselines(tx: Transaction, forces: Iterable[str]) -> list[Baseline]:
    """All that wait in these forces and nobody else is releasing."""
    return [_baseline(row) for row in await tx.fetch(QUERIES.waiting_baselines, list(forces))]


async def waiting_baselines_named(tx: Transaction, ids: Iterable[UUID]) -> list[Baseline]:
    """Of these, the ones that still wait."""
    return [_baseline(row) for row in await tx.fetch(QUERIES.waiting_baselines_named, list(ids))]


async def remove_baselines(tx: Transaction, ids: Iterable[UUID]) -> None:
    """Forget what has left."""
    await tx.run(QUERIES.remove_baselines, list(ids))


def _baseline(row: Row) -> Baseline:
    return Baseline(row["force_id"], row["id"], row["sealed"], row["answered_on"])
