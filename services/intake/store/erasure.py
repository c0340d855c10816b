"""What of her is erased, and what waits sealed to be withdrawn elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.intake.domain.person import WrappedKey
from services.intake.store import QUERIES
from shared.database import Transaction

Key = tuple[str, UUID]
"""A force and an id."""


@dataclass(frozen=True, slots=True)
class Hers:
    """A request of a woman who is to be erased, and what opens its pair id; None where that was destroyed before."""

    force_id: str
    participant_id: UUID
    key: WrappedKey | None
    request_id: UUID
    walk_id: UUID | None
    pair: bytes


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The pair id of answers to be withdrawn, sealed."""

    force_id: str
    id: UUID
    sealed: bytes


async def lock_all_of_hers(tx: Transaction, requests: Sequence[Key]) -> list[Hers]:
    """Every request of the women who made these, held still."""
    return [
        Hers(
            row["force_id"],
            row["participant_id"],
            WrappedKey(row["master"], row["wrapped_key"]) if row["master"] else None,
            row["id"],
            row["walk_id"],
            row["pair"],
        )
        for row in await tx.fetch(QUERIES.lock_participant, *_columns(requests))
    ]


async def erase(tx: Transaction, hers: Sequence[Hers]) -> list[Key]:
    """Erase these requests and who made them, with all that hangs on them; the messages there were."""
    requests = [(one.force_id, one.request_id) for one in hers]
    messages = await tx.fetch(QUERIES.erase_messages, *_columns(requests))
    await tx.run(QUERIES.empty_accepted_keys, *_columns(requests))
    await tx.run(QUERIES.erase_requests, *_columns(requests))
    await tx.run(QUERIES.erase_participants, *_columns([(one.force_id, one.participant_id) for one in hers]))
    return [(row["force_id"], row["id"]) for row in messages]


async def walks_with_requests(tx: Transaction, walk_ids: Iterable[UUID]) -> set[UUID]:
    """Of these walks, the ones that still have a request."""
    return {row["walk_id"] for row in await tx.fetch(QUERIES.requests_on_walks, list(walk_ids))}


async def add_withdrawn(tx: Transaction, withdrawn: Sequence[Withdrawn]) -> None:
    """Let pair ids wait for the night."""
    await tx.run(
        QUERIES.withdraw_answers,
        [one.force_id for one in withdrawn],
        [one.id for one in withdrawn],
        [one.sealed for one in withdrawn],
    )


async def take_withdrawn(tx: Transaction, ids: Iterable[UUID]) -> list[Withdrawn]:
    """Take these out, to be told."""
    rows = await tx.fetch(QUERIES.take_withdrawn_answers, list(ids))
    return [Withdrawn(row["force_id"], row["id"], row["sealed"]) for row in rows]


def _columns(keys: Sequence[Key]) -> tuple[list[str], list[UUID]]:
    return [force for force, _ in keys], [id_ for _, id_ in keys]
