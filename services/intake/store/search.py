"""Requests looked for by the data protection officer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.person import WrappedKey
from services.intake.domain.requests import RequestState
from services.intake.store import QUERIES
from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Found:
    """A request that was looked for, without anything of who made it."""

    id: UUID
    reference: str
    state: RequestState
    requested_at: datetime
    participant_id: UUID


@dataclass(frozen=True, slots=True)
class Sealed:
    """Who asked, sealed, and what opens it."""

    participant_id: UUID
    key: WrappedKey
    sealed: bytes


async def by_reference(tx: Transaction, force_id: str, reference: str) -> list[Found]:
    """A request by its reference."""
    return _found(await tx.fetch(QUERIES.found_by_reference, force_id, reference))


async def by_digest(tx: Transaction, force_id: str, digest: bytes) -> list[Found]:
    """Requests of whoever is recognised by this."""
    return _found(await tx.fetch(QUERIES.found_by_digest, force_id, digest))


async def of_same(tx: Transaction, force_id: str, request_id: UUID) -> list[Found]:
    """A request and the others of the same woman."""
    return _found(await tx.fetch(QUERIES.found_of_same, force_id, request_id))


async def of_people(tx: Transaction, force_id: str, people: Sequence[UUID]) -> list[Found]:
    """The requests of these women."""
    return _found(await tx.fetch(QUERIES.found_of_people, force_id, list(people)))


async def people_from(tx: Transaction, force_id: str, after: UUID, many: int) -> list[Sealed]:
    """Women in the order of their ids, which tell nothing, from a place on."""
    rows = await tx.fetch(QUERIES.people_from, force_id, after, many)
    return [Sealed(row["id"], WrappedKey(row["master"], row["wrapped_key"]), row["sealed"]) for row in rows]


async def counted(tx: Transaction, force_id: str, place: UUID) -> tuple[int, int]:
    """How many women there are up to a place, and in all."""
    row = await tx.fetch_row(QUERIES.people_counted, force_id, place)
    assert row is not None  # a count always has a row
    return row["passed"], row["everybody"]


def _found(rows: Sequence[Row]) -> list[Found]:
    return [
        Found(row["id"], row["reference"], RequestState(row["state"]), row["requested_at"], row["participant_id"])
        for row in rows
    ]
