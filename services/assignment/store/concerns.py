"""Concerns raised on walks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.assignment.domain.record import Concern
from services.assignment.store import QUERIES
from services.assignment.store.rows import Key, columns, point_of, uuid_of
from shared.contracts.kinds import PartOfDay, Reason, Severity
from shared.database import Row, Transaction


async def save_concerns(tx: Transaction, concerns: Sequence[Concern]) -> None:
    """Write new concerns."""
    if not concerns:
        return
    await tx.run(
        QUERIES.save_concerns,
        [concern.force_id for concern in concerns],
        [concern.id for concern in concerns],
        [concern.walk_id for concern in concerns],
        [concern.category.value for concern in concerns],
        [concern.place.latitude for concern in concerns],
        [concern.place.longitude for concern in concerns],
        [concern.place_name for concern in concerns],
        [concern.time_of_day for concern in concerns],
        [concern.severity.value for concern in concerns],
        [concern.words for concern in concerns],
        [concern.raised_on for concern in concerns],
    )


async def concerns_of_walk(tx: Transaction, walk: Key) -> list[Concern]:
    """The concerns raised on a walk, in the order they were recorded."""
    return [concern_of(row) for row in await tx.fetch(QUERIES.concerns_of_walks, *columns([walk]))]


def concern_of(row: Row) -> Concern:
    """A concern from its row."""
    return Concern(
        force_id=row["force_id"],
        id=uuid_of(row["id"]),
        walk_id=uuid_of(row["walk_id"]),
        category=Reason(row["category"]),
        place=point_of(row),
        place_name=row["place_name"],
        time_of_day=PartOfDay(row["time_of_day"]) if row["time_of_day"] else None,
        severity=Severity(row["severity"]),
        words=row["words"],
        raised_on=row["raised_on"],
        withdrawn_at=row["withdrawn_at"],
        reopened_at=row["reopened_at"],
    )


async def known_concerns(tx: Transaction, concerns: Iterable[Key]) -> set[UUID]:
    """Which of these concerns were raised here."""
    return {row["id"] for row in await tx.fetch(QUERIES.known_concerns, *columns(concerns))}
