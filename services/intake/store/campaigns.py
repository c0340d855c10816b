"""How women heard of the scheme."""

from __future__ import annotations

from collections.abc import Sequence

from services.intake.store import QUERIES
from shared.database import Transaction


async def add_heard(tx: Transaction, heard: Sequence[tuple[str, str, str]]) -> None:
    """Count requests by (force, campaign, month)."""
    if heard:
        await tx.run(
            QUERIES.add_heard, [one for one, _, _ in heard], [one for _, one, _ in heard], [one for _, _, one in heard]
        )


async def heard_counts(tx: Transaction, force_id: str, since_month: str) -> dict[str, int]:
    """Requests by campaign since a month; campaigns nobody came by are left out."""
    return {row["campaign"]: row["requests"] for row in await tx.fetch(QUERIES.heard_counts, force_id, since_month)}
