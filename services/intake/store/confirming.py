"""Requests that nobody has confirmed yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """What waits with a request: a digest of its code, and sealed what is told once it is confirmed."""

    force_id: str
    request_id: UUID
    code: bytes
    sealed: bytes


async def add_unconfirmed(tx: Transaction, waiting: Sequence[Unconfirmed]) -> None:
    """Let requests wait."""
    if waiting:
        await tx.run(
            QUERIES.add_unconfirmed,
            [one.force_id for one in waiting],
            [one.request_id for one in waiting],
            [one.code for one in waiting],
            [one.sealed for one in waiting],
        )


async def take_unconfirmed(tx: Transaction, force_id: str, request_id: UUID) -> bytes | None:
    """What waited with a request that waits no longer; None where none did."""
    found: bytes | None = await tx.fetch_value(QUERIES.take_unconfirmed, force_id, request_id)
    return found


async def is_unconfirmed(tx: Transaction, force_id: str, request_id: UUID) -> bool:
    """Whether it waits still."""
    return bool(await tx.fetch_value(QUERIES.unconfirmed, force_id, request_id))


async def try_code(tx: Transaction, force_id: str, reference: str, code: bytes, most: int) -> UUID | None:
    """The request of this reference, if the code is right and was not tried too often."""
    found: UUID | None = await tx.fetch_value(QUERIES.try_code, force_id, reference, code, most)
    return found
