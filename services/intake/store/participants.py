"""Who asked, sealed."""

from __future__ import annotations

from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Transaction


async def reseal(tx: Transaction, force_id: str, participant_id: UUID, sealed: bytes) -> None:
    """Write who she is anew."""
    await tx.run(QUERIES.reseal_participant, force_id, participant_id, sealed)
