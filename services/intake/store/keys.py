"""Wrapped keys, for wrapping them anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.intake.domain.person import WrappedKey
from services.intake.store import QUERIES
from shared.database import Transaction

Place = tuple[str, UUID]
"""A force and a participant: where going through the table has come to."""
START: Place = ("", UUID(int=0))


@dataclass(frozen=True, slots=True)
class Held:
    """A participant's key as it is stored."""

    place: Place
    key: WrappedKey


async def to_rewrap(tx: Transaction, master: str, after: Place, many: int) -> list[Held]:
    """Keys that another master key has wrapped, held still."""
    rows = await tx.fetch(QUERIES.keys_to_rewrap, master, *after, many)
    return [
        Held((row["force_id"], row["participant_id"]), WrappedKey(row["master"], row["wrapped_key"])) for row in rows
    ]


async def rewrap(tx: Transaction, master: str, keys: Sequence[tuple[Place, WrappedKey]]) -> None:
    """Write keys as this master key has wrapped them."""
    await tx.run(
        QUERIES.rewrap_keys,
        master,
        [force_id for (force_id, _), _ in keys],
        [participant_id for (_, participant_id), _ in keys],
        [key.wrapped for _, key in keys],
    )


async def by_master(tx: Transaction) -> Mapping[str, int]:
    """How many keys each master key has wrapped, by its name."""
    return {row["master"]: row["many"] for row in await tx.fetch(QUERIES.keys_by_master)}


async def rows_without_key(tx: Transaction) -> int:
    """How many women's rows nothing opens."""
    return int(await tx.fetch_value(QUERIES.rows_without_key))
