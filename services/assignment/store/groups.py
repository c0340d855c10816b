"""Requests that change from one walk to another, and what goes with them."""

from __future__ import annotations

from collections.abc import Sequence

from services.assignment.domain.walks import Walk
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE
from services.assignment.store.walks import with_requests
from shared.database import Transaction


async def move(tx: Transaction, walks: Sequence[Walk]) -> None:
    """The requests of these walks are theirs from now on, with the calls to be made and those that were tried."""
    moved = [(walk.force_id, request.id, walk.id) for walk in walks for request in walk.requests]
    columns = [list(column) for column in zip(*moved, strict=True)]
    await tx.run(QUERIES.move_requests, *columns)
    await tx.run(QUERIES.move_follow_ups, *columns)
    await tx.run(QUERIES.move_attempts, *columns)


async def welcome(tx: Transaction, force_id: str, team_id: str, asking: str) -> list[Walk]:
    """Walks of a team without a time whose women would walk with others, longest waiting first; at most 50.

    Those that exclude whoever is `asking` are left out.
    """
    return await with_requests(tx, await tx.fetch(QUERIES.walks_welcoming_others, force_id, team_id, asking, PAGE))
