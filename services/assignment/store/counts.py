"""How much waits, for the first page and for metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.assignment.store import QUERIES
from shared.database import Transaction


async def work_waiting(tx: Transaction, force_id: str, now: datetime) -> Mapping[str, int]:
    """How much waits in a force: triage, routed, open and overdue follow-ups."""
    row = await tx.fetch_row(QUERIES.work_waiting, force_id, now)
    assert row is not None
    return dict(row)


async def counts(tx: Transaction, now: datetime) -> dict[str, list[tuple[str, str, int]]]:
    """For metrics, (force, which, how many): walks by state, late, escalated, follow-ups open and overdue."""
    walks_by_state = [(row["force_id"], row["state"], row["many"]) for row in await tx.fetch(QUERIES.walks_by_state)]
    late = [(row["force_id"], "", row["many"]) for row in await tx.fetch(QUERIES.walks_late, now)]
    escalated = [(row["force_id"], row["what"], row["many"]) for row in await tx.fetch(QUERIES.escalations_waiting)]
    not_back = [(row["force_id"], "", row["many"]) for row in await tx.fetch(QUERIES.check_ins_missed_counted, now)]
    waiting = await tx.fetch(QUERIES.follow_ups_waiting, now)
    return {
        "walks": walks_by_state,
        "late": late,
        "escalated": escalated,
        "not_back": not_back,
        "follow_ups": [(row["force_id"], which, row[which]) for row in waiting for which in ("open", "overdue")],
    }
