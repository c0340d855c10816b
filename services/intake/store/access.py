"""What is held about one woman, sealed where it is sealed, for a copy she asked for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.intake.store import QUERIES
from shared.database import Row, Transaction


async def requests(tx: Transaction, force_id: str, request_id: UUID) -> Sequence[Row]:
    """All requests of the woman who made this one, with who she is."""
    return await tx.fetch(QUERIES.copy_of_requests, force_id, request_id)


async def messages(tx: Transaction, force_id: str, requests: Sequence[UUID]) -> Sequence[Row]:
    """What was said to her."""
    return await tx.fetch(QUERIES.copy_of_messages, force_id, list(requests))


async def concerns(tx: Transaction, force_id: str, walks: Sequence[UUID]) -> Sequence[Row]:
    """Concerns of her walks."""
    return await tx.fetch(QUERIES.copy_of_concerns, force_id, list(walks))


async def accepted_keys(tx: Transaction, force_id: str, requests: Sequence[UUID]) -> Sequence[Row]:
    """When her requests came in."""
    return await tx.fetch(QUERIES.copy_of_accepted_keys, force_id, list(requests))


async def unconfirmed(tx: Transaction, force_id: str, requests: Sequence[UUID]) -> Sequence[Row]:
    """What waits until she confirms it."""
    return await tx.fetch(QUERIES.copy_of_unconfirmed, force_id, list(requests))


async def log(tx: Transaction, force_id: str, requests: Sequence[UUID]) -> Sequence[Row]:
    """Who did what with her data."""
    return await tx.fetch(QUERIES.copy_of_log, force_id, [str(one) for one in requests])
