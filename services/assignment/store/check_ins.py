"""Walks whose officers are overdue."""

from __future__ import annotations

from datetime import datetime

from services.assignment.domain.walks import Walk
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE
from services.assignment.store.walks import with_requests
from shared.database import Transaction


async def missed(
    tx: Transaction, force_id: str, officer_id: str | None, asking: str, now: datetime, page: int
) -> tuple[list[Walk], bool]:
    """A page (from 1) of the walks that were to be checked in by now, of a force or one officer; whether more follow.

    Those of women who exclude whoever is `asking` are left out.
    """
    rows = await tx.fetch(QUERIES.check_ins_missed, force_id, now, officer_id, asking, PAGE + 1, (page - 1) * PAGE)
    return await with_requests(tx, rows[:PAGE]), len(rows) > PAGE
