"""What is past its time, and what of it goes; what is on hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.domain.messages import Refuse
from services.intake.store import QUERIES
from shared.database import Transaction

_PAST: Final = (QUERIES.retention_participant, QUERIES.retention_unarranged)


async def still_past(tx: Transaction, force_id: str, before: datetime) -> set[UUID]:
    """Requests of women who are past their time now, one of each, as those that are to go were found."""
    rows = [row for query in _PAST for row in await tx.fetch(query, force_id, before)]
    return {row["id"] for row in rows if row["kept"] is None}


async def empty_messages(tx: Transaction, force_id: str, ids: Sequence[UUID]) -> None:
    """Forget what these said."""
    await tx.run(QUERIES.empty_messages, force_id, list(ids))


async def refuse_letters(tx: Transaction, force_id: str, ids: Sequence[UUID], reason: Refuse) -> None:
    """Letters that will not be posted keep the reason, and nothing of what they would have said."""
    await tx.run(QUERIES.refuse_letters, force_id, list(ids), reason)


async def put_on_hold(tx: Transaction, force_id: str, request_id: UUID, at: datetime | None) -> bool:
    """Keep a request from being erased, or (None) no longer; whether there is one."""
    return await tx.run(QUERIES.put_on_hold, force_id, request_id, at) > 0


async def held_back(tx: Transaction, force_id: str, ids: Sequence[UUID]) -> bool:
    """Whether one of these requests is on hold."""
    return bool(await tx.fetch_value(QUERIES.held_back, force_id, list(ids)))
