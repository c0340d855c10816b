"""Who is on which walk when."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.assignment.domain.refusals import OfficerDoubleBooked
from services.assignment.domain.walks import Walk
from services.assignment.store import QUERIES
from services.assignment.store.rows import columns, uuid_of
from shared.database import Transaction


async def refuse_double_booking(tx: Transaction, arranged: Sequence[Walk]) -> None:
    """Look before saving, with the officers locked; the table itself refuses what slips through.

    :raises OfficerDoubleBooked: an officer of theirs is on another arranged walk at that time.
    """
    if await double_booked(tx, arranged):
        raise OfficerDoubleBooked


async def double_booked(tx: Transaction, arranged: Sequence[Walk]) -> set[UUID]:
    """Which of these walks, each once or at several times, overlap another arranged walk of an officer of theirs.

    The officers are locked until the transaction ends.
    """
    # Left to the constraint alone, two that conflict may each find the other unfinished, and wait in a ring.
    on_it = [(walk, officer_id) for walk in arranged for officer_id in walk.officer_ids]
    await tx.fetch(QUERIES.lock_officers, *columns((walk.force_id, officer_id) for walk, officer_id in on_it))
    rows = await tx.fetch(
        QUERIES.walks_arranged_at,
        [walk.force_id for walk, _ in on_it],
        [officer_id for _, officer_id in on_it],
        [walk.id for walk, _ in on_it],
        [walk.starts_at for walk, _ in on_it],
        [walk.busy_until for walk, _ in on_it],
    )
    return {uuid_of(row["walk_id"]) for row in rows}
