"""The secret addresses of officers' calendars: digests, never the secrets."""

from __future__ import annotations

from datetime import datetime

from services.assignment.store import QUERIES
from shared.database import Transaction


async def renew(tx: Transaction, force_id: str, officer_id: str, digest: bytes, now: datetime) -> None:
    """From now on this is the secret of the officer's calendar; the one before opens nothing."""
    await tx.run(QUERIES.renew_calendar, force_id, officer_id, digest, now)


async def end(tx: Transaction, force_id: str, officer_id: str) -> None:
    """The officer's calendar is fetched by nobody any more."""
    await tx.run(QUERIES.end_calendar, force_id, officer_id)


async def made_at(tx: Transaction, force_id: str, officer_id: str) -> datetime | None:
    """Since when there is a secret; None where there is none."""
    found: datetime | None = await tx.fetch_value(QUERIES.calendar_made_at, force_id, officer_id)
    return found


async def officer_of(tx: Transaction, force_id: str, digest: bytes) -> str | None:
    """Whose calendar a secret opens."""
    found: str | None = await tx.fetch_value(QUERIES.officer_of_calendar, force_id, digest)
    return found
