"""What of a woman goes for good."""

from __future__ import annotations

from collections.abc import Sequence

from services.assignment.store import QUERIES
from services.assignment.store.rows import Key, columns
from shared.database import Transaction


async def erase_requests(tx: Transaction, requests: Sequence[Key]) -> None:
    """Keep of these requests what counts need."""
    await tx.run(QUERIES.erase_requests, *columns(requests))


async def drop_open_contacts(tx: Transaction, requests: Sequence[Key]) -> list[Key]:
    """Forget calls and visits of these requests that were not made; which there were."""
    rows = await tx.fetch(QUERIES.drop_open_contacts, *columns(requests))
    return [(row["force_id"], row["id"]) for row in rows]


async def erase_walks(tx: Transaction, walks: Sequence[Key]) -> None:
    """Keep of these walks what counts and the officer's record need."""
    await tx.run(QUERIES.erase_walks, *columns(walks))


async def erase_concerns(tx: Transaction, walks: Sequence[Key]) -> list[Key]:
    """Take the words out of the concerns of these walks; which had any."""
    rows = await tx.fetch(QUERIES.erase_concerns, *columns(walks))
    return [(row["force_id"], row["id"]) for row in rows]
