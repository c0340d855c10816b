"""Attempts to reach her."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.assignment.domain.attempts import Attempt, Outcome
from services.assignment.store import QUERIES
from services.assignment.store.rows import Key, columns, uuid_of
from shared.contracts.kinds import Channel
from shared.database import Transaction


async def keep(tx: Transaction, attempts: Sequence[Attempt]) -> None:
    """Write attempts."""
    await tx.run(
        QUERIES.keep_attempts,
        [each.force_id for each in attempts],
        [each.id for each in attempts],
        [each.request_id for each in attempts],
        [each.walk_id for each in attempts],
        [each.at for each in attempts],
        [each.by_id for each in attempts],
        [each.way.value for each in attempts],
        [each.outcome.value for each in attempts],
    )


async def of_walk(tx: Transaction, walk: Key) -> list[Attempt]:
    """The attempts to reach the women of a walk, the latest first."""
    return [
        Attempt(
            force_id=row["force_id"],
            id=uuid_of(row["id"]),
            request_id=uuid_of(row["request_id"]),
            walk_id=uuid_of(row["walk_id"]),
            at=row["at"],
            by_id=row["by_id"],
            way=Channel(row["way"]),
            outcome=Outcome(row["outcome"]),
        )
        for row in await tx.fetch(QUERIES.attempts_of_walks, *columns([walk]))
    ]


async def erase(tx: Transaction, requests: Iterable[Key]) -> None:
    """What was tried to reach women who were erased."""
    await tx.run(QUERIES.erase_attempts, *columns(requests))
