"""Who asked, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Transaction


async def reseal(tx: Transaction, force_id: str, participant_id: UUID, sealed: bytes) -> None:
    """Write who she is anew."""
    await tx.run(QUERIES.reseal_participant, force_id, participant_id, sealed)


async def recognise_by(tx: Transaction, force_id: str, participant_id: UUID, digests: Sequence[bytes]) -> None:
    """Write anew by what she is recognised when she asks again."""
    await tx.run(QUERIES.forget_digests, force_id, participant_id)
    await tx.run(QUERIES.add_digests, force_id, participant_id, list(dict.fromkeys(digests)))


async def open_requests_of(tx: Transaction, force_id: str, digests: Sequence[bytes], other_than: UUID) -> list[UUID]:
    """Open requests of participants, other than this one, who are recognised by one of these."""
    rows = await tx.fetch(QUERIES.open_requests_of, force_id, list(digests), other_than)
    return [row["id"] for row in rows]


async def note_stopped(tx: Transaction, force_id: str, participant_id: UUID, now: datetime) -> None:
    """Contact with her is no longer safe."""
    await tx.run(QUERIES.note_stopped, force_id, participant_id, now)


async def note_spoken(tx: Transaction, force_id: str, participant_id: UUID, now: datetime) -> None:
    """A coordinator has spoken to her."""
    await tx.run(QUERIES.note_spoken, force_id, participant_id, now)


async def stopped_elsewhere(tx: Transaction, force_id: str, participant_id: UUID) -> list[UUID]:
    """Requests of others with her address or number who have stopped all contact since anybody spoke to her."""
    return [row["id"] for row in await tx.fetch(QUERIES.stopped_elsewhere, force_id, participant_id)]
