"""Data keys wrapped anew, a batch a transaction: what is interrupted goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.intake.domain.person import WrappedKey
from services.intake.store import keys as key_rows
from services.intake.store.keys import START, Place
from services.intake.vault import CannotOpen, Vault
from shared.database import Transaction

BEGINNING = START


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did; `reached` is None when there is nothing behind it."""

    done: int
    shut: int
    """Keys that no master key of the ring opens: left as they are."""
    reached: Place | None


@dataclass(frozen=True, slots=True)
class KeysHeld:
    """Which master keys wrap how many keys, by name, and how many rows have no key."""

    by_master: Mapping[str, int]
    without: int


async def rewrap_some(tx: Transaction, after: Place, many: int, *, vault: Vault) -> Batch:
    """Wrap keys behind a place anew, by the master key of now."""
    held = await key_rows.to_rewrap(tx, vault.master_id, after, many)
    fresh: list[tuple[Place, WrappedKey]] = []
    for one in held:
        try:
            fresh.append((one.place, vault.rewrapped(one.key, str(one.place[1]))))
        except CannotOpen:
            continue
    if fresh:
        await key_rows.rewrap(tx, vault.master_id, fresh)
    return Batch(len(fresh), len(held) - len(fresh), held[-1].place if held else None)


async def keys_held(tx: Transaction) -> KeysHeld:
    """What stands in the table of keys."""
    return KeysHeld(await key_rows.by_master(tx), await key_rows.rows_without_key(tx))
