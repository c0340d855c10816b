"""How often something was done from an address, and how many messages went to one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.intake.store import QUERIES
from shared.contracts.kinds import Channel
from shared.database import Transaction


async def add_attempt(tx: Transaction, force_id: str, digest: bytes, until: datetime) -> int:
    """Count one more; how many there are now."""
    return int(await tx.fetch_value(QUERIES.add_attempt, force_id, digest, until))


async def forget_attempts(tx: Transaction, now: datetime) -> int:
    """Hours that are over leave nothing; how many rows that was."""
    return await tx.run(QUERIES.forget_attempts, now)


async def unasked_before(
    tx: Transaction,
    force_id: str,
    digest: bytes,
    kinds: Sequence[str],
    channel: Channel,
    since: datetime,
    message_id: UUID,
) -> int:
    """How many messages of these kinds were made for an address or number since a moment and before this one."""
    asked = (force_id, digest, list(kinds), channel, since, message_id)
    return int(await tx.fetch_value(QUERIES.unasked_before, *asked))
