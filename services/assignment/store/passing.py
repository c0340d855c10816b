"""How walks were passed on, and which of them a coordinator has to see to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.assignment.domain.passing import PassedOn, What, WhyPassed
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE, Key, columns, uuid_of
from shared.database import Row, Transaction


async def keep(tx: Transaction, steps: Sequence[PassedOn]) -> set[UUID]:
    """Write these steps; of which walks. One that is escalated is not escalated again."""
    if not steps:
        return set()
    rows = await tx.fetch(
        QUERIES.keep_passed_on,
        [each.force_id for each in steps],
        [each.id for each in steps],
        [each.walk_id for each in steps],
        [each.at for each in steps],
        [each.what.value for each in steps],
        [each.why for each in steps],
        [each.by_id for each in steps],
        [each.from_officer_id for each in steps],
        [each.to_officer_id for each in steps],
        [each.from_team_id for each in steps],
        [each.to_team_id for each in steps],
    )
    return {uuid_of(row["walk_id"]) for row in rows}


async def settle(tx: Transaction, walks: Iterable[Key], now: datetime) -> None:
    """These walks are seen to."""
    await tx.run(QUERIES.settle_escalations, *columns(walks), now)


async def of_walks(tx: Transaction, walks: Iterable[Key]) -> list[PassedOn]:
    """The history of these walks, the oldest step first."""
    return [_passed_on(row) for row in await tx.fetch(QUERIES.passed_on_of_walks, *columns(walks))]


async def escalated(tx: Transaction, force_id: str, asking: str, page: int) -> tuple[list[PassedOn], bool]:
    """A page (from 1) of what a coordinator has to see to, longest first; whether more follow."""
    rows = await tx.fetch(QUERIES.escalated_walks, force_id, asking, PAGE + 1, (page - 1) * PAGE)
    return [_passed_on(row) for row in rows[:PAGE]], len(rows) > PAGE


def _passed_on(row: Row) -> PassedOn:
    return PassedOn(
        force_id=row["force_id"],
        id=uuid_of(row["id"]),
        walk_id=uuid_of(row["walk_id"]),
        at=row["at"],
        what=What(row["what"]),
        why=WhyPassed(row["why"]) if row["why"] else None,
        by_id=row["by_id"],
        from_officer_id=row["from_officer_id"],
        to_officer_id=row["to_officer_id"],
        from_team_id=row["from_team_id"],
        to_team_id=row["to_team_id"],
        settled_at=row["settled_at"],
    )
