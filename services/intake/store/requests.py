"""Requests as they stand, each with what opens it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.person import WrappedKey
from services.intake.domain.requests import Held, RequestState
from services.intake.store import QUERIES
from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Stored:
    """A request as it stands, with what opens it."""

    held: Held
    pair: bytes
    key: WrappedKey
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Move:
    """How far a request has come; `team_id` None keeps the team, `officer_id` None leaves nobody assigned."""

    force_id: str
    request_id: UUID
    state: RequestState
    walk_id: UUID
    team_id: str | None
    officer_id: str | None
    at: datetime
    """When assignment said so (UTC)."""


async def requests(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Stored]:
    """Requests by id; those this transaction may not see, or nobody knows, are left out."""
    return {row["id"]: stored(row) for row in await tx.fetch(QUERIES.requests, list(ids))}


async def requests_of_walks(tx: Transaction, walk_ids: Iterable[UUID]) -> dict[UUID, list[Stored]]:
    """Requests by the walk that answers them."""
    found: dict[UUID, list[Stored]] = {}
    for row in await tx.fetch(QUERIES.requests_of_walks, list(walk_ids)):
        found.setdefault(row["walk_id"], []).append(stored(row))
    return found


async def lock_request(tx: Transaction, force_id: str, request_id: UUID) -> Stored | None:
    """One request, held still until the transaction ends."""
    if await tx.fetch_value(QUERIES.lock_request, force_id, request_id) is None:
        return None
    return (await requests(tx, [request_id])).get(request_id)


async def move(tx: Transaction, moves: Sequence[Move], now: datetime) -> None:
    """Write how far requests have come; the last of several for one request holds."""
    latest = {(one.force_id, one.request_id): one for one in moves}.values()
    await tx.run(
        QUERIES.move_requests,
        [one.force_id for one in latest],
        [one.request_id for one in latest],
        [one.state for one in latest],
        [one.walk_id for one in latest],
        [one.team_id for one in latest],
        [one.officer_id for one in latest],
        [one.at for one in latest],
        now,
    )


async def walks_as_of(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, tuple[UUID, datetime]]:
    """Which walk answers each of these requests, and since when; those that none answers are left out."""
    rows = await tx.fetch(QUERIES.walks_as_of, list(ids))
    return {row["id"]: (row["walk_id"], row["walk_as_of"]) for row in rows}


async def withdraw(tx: Transaction, force_id: str, request_id: UUID, now: datetime) -> None:
    """Mark a request as withdrawn."""
    await tx.run(QUERIES.withdraw_request, force_id, request_id, now)


async def note_heard_of(tx: Transaction, force_id: str, request_id: UUID, now: datetime) -> None:
    """She has done something with her request."""
    await tx.run(QUERIES.note_heard_of, force_id, request_id, now)


def stored(row: Row) -> Stored:
    """A request from a row that has all of one, and what opens it."""
    values: Any = row
    return Stored(
        Held(
            values["force_id"],
            values["id"],
            values["reference"],
            RequestState(values["state"]),
            values["walk_id"],
            values["officer_id"],
            values["participant_id"],
            values["caller_id"],
        ),
        values["pair"],
        WrappedKey(values["master"], values["wrapped_key"]),
        values["sealed"],
    )
