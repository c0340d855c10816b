"""Forms half filled in, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Draft:
    """A form half filled in, sealed."""

    id: UUID
    sealed: bytes


async def add_draft(
    tx: Transaction, force_id: str, id_: UUID, digest: bytes, sealed: bytes, expires_at: datetime
) -> None:
    """Begin a form."""
    await tx.run(QUERIES.add_draft, force_id, id_, digest, sealed, expires_at)


async def draft(tx: Transaction, force_id: str, digest: bytes, now: datetime, *, hold: bool = False) -> Draft | None:
    """A form that has not expired; held still until the transaction ends if asked."""
    row = await tx.fetch_row(QUERIES.hold_draft if hold else QUERIES.draft, force_id, digest, now)
    return Draft(row["id"], row["sealed"]) if row else None


async def save_draft(tx: Transaction, force_id: str, id_: UUID, sealed: bytes) -> None:
    """Write a form anew."""
    await tx.run(QUERIES.save_draft, force_id, id_, sealed)


async def remove_drafts(tx: Transaction, drafts: Sequence[tuple[str, UUID]]) -> int:
    """Erase forms by (force, id); how many there were."""
    return await tx.run(QUERIES.remove_drafts, [force for force, _ in drafts], [id_ for _, id_ in drafts])
