"""Forgetting: tombstones, what the bus side of a service still holds of whom they stand for, and the file that outlives
a restored database.

    bury     tombstones, in the transaction that erases; from then on late events have no effect (shared/bus/inbox.py)
    scrub    moments later: the outbox log, what was told as parked, what is held
    Ledger   the same tombstones in a file outside the database: one restored from before them learns of them again
             before it serves
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from shared import timers
from shared.bus.inbox import PARKED_KEY
from shared.bus.outbox import QUERIES
from shared.contracts.catalogue import BY_TYPE, EVENTS
from shared.database import Database, Transaction
from shared.observability import log
from shared.timers import Due, Fired

SCRUB: Final = "scrub"
"""The timer of what is still to be scrubbed."""
_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LOOK_BACK: Final = timedelta(days=3)

What = Literal["all", "words"]


@dataclass(frozen=True, slots=True)
class Gone:
    """Of this id all was erased, or the words alone. A request, a pair of answers, a walk, a concern: never a name."""

    force_id: str
    id: UUID
    what: What = "all"


Forget = Callable[[Transaction, Sequence[Gone], datetime], Awaitable[None]]
"""What a service does to forget these, and to bury them; doing it again changes nothing."""


async def bury(tx: Transaction, gone: Sequence[Gone], at: datetime, now: datetime) -> None:
    """Set tombstones in the caller's transaction, told to be of `at` (UTC); what the bus holds is scrubbed next."""
    if not gone:
        return
    distinct = list({(one.force_id, one.id): one for one in sorted(gone, key=lambda one: one.what == "all")}.values())
    await tx.run(
        QUERIES.bury,
        [one.force_id for one in distinct],
        [one.id for one in distinct],
        [one.what for one in distinct],
        [at] * len(distinct),
    )
    await timers.set(tx, SCRUB, [Due(one.force_id, one.id, now) for one in distinct])


async def buried(tx: Transaction, ids: Iterable[tuple[str, UUID]]) -> dict[tuple[str, UUID], What]:
    """Of these (force, id), those with a tombstone."""
    wanted = list(ids)
    rows = await tx.fetch(QUERIES.buried, [force for force, _ in wanted], [id_ for _, id_ in wanted])
    return {(row["force_id"], row["id"]): row["what"] for row in rows}


async def scrub(tx: Transaction, fired: Sequence[Fired], now: datetime) -> None:
    """Take the data out of what was published, parked or held of these: one look at the log for all of them."""
    found = await buried(tx, [(one.force_id, one.subject) for one in fired])
    whole = [key for key, what in found.items() if what == "all"]
    wordless = [key for key, what in found.items() if what == "words"]
    await tx.run(QUERIES.scrub_log, *_columns(whole), [event.type() for event in EVENTS if event.overtakes])
    speaking = {event.type(): json.dumps(dict(event.without_words)) for event in EVENTS if event.without_words}
    await tx.run(QUERIES.scrub_words, *_columns(wordless), list(speaking), list(speaking.values()))
    await tx.run(QUERIES.scrub_told_as_parked, [_parked_header(id_) for _, id_ in found])
    await tx.run(QUERIES.drop_held, [str(id_).encode() for _, id_ in whole])
    held = await tx.fetch(QUERIES.held_of_keys, [str(id_).encode() for _, id_ in wordless])
    await tx.run(
        QUERIES.keep_held_value,
        [row["force_id"] for row in held],
        [row["position"] for row in held],
        [_without_words(row["headers"], row["value"]) for row in held],
    )


def _columns(keys: Sequence[tuple[str, UUID]]) -> tuple[list[str], list[UUID]]:
    return [force for force, _ in keys], [id_ for _, id_ in keys]


def _parked_header(id_: UUID) -> str:
    return json.dumps([[PARKED_KEY, base64.b64encode(str(id_).encode()).decode()]])


def _without_words(headers: Sequence[tuple[str, str]], value: bytes) -> bytes:
    """A held record's data without words; nothing at all where it cannot be read."""
    named = dict(headers)
    event = BY_TYPE.get(base64.b64decode(named.get("ce_type", "")).decode(errors="replace"))
    try:
        data: Any = json.loads(value)
    except ValueError:
        return b"{}"
    if event is None or not isinstance(data, dict):
        return b"{}"
    return json.dumps({**data, **event.without_words}).encode()


class Ledger:
    """The tombstones of one service in a file outside its database: a line each, only ever added to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: set[Gone] | None = None

    def read(self) -> dict[Gone, datetime]:
        """Every tombstone of the file; a line broken off by a crash was written again."""
        found: dict[Gone, datetime] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="ascii", errors="replace").splitlines():
                try:
                    force_id, id_, what, at = line.split(" ")
                    when = datetime.fromisoformat(at)
                    gone = Gone(force_id, UUID(id_), "all" if what == "all" else "words")
                except ValueError:
                    continue
                if when.tzinfo is not None and what in ("all", "words"):
                    found.setdefault(gone, when)
        return found

    async def keep(self, database: Database, forces: Sequence[str]) -> int:
        """Write down what the file does not have yet; how many lines were written."""
        known = self._known
        if known is None:
            known = set(await asyncio.to_thread(self.read))
        since = _EVER if self._known is None else datetime.now(UTC) - _LOOK_BACK
        async with database.transaction(forces) as tx:
            rows = await tx.fetch(QUERIES.tombstones_since, since)
        fresh = {Gone(row["force_id"], row["id"], row["what"]): row["erased_at"] for row in rows}
        lines = [(gone, at) for gone, at in fresh.items() if gone not in known]
        if lines:
            await asyncio.to_thread(self._append, lines)
        self._known = known | set(fresh)
        return len(lines)

    async def missing(self, database: Database, forces: Sequence[str]) -> dict[Gone, datetime]:
        """What the file has and the database, restored from before it, does not."""
        written = {gone: at for gone, at in (await asyncio.to_thread(self.read)).items() if gone.force_id in forces}
        if not written:
            return {}
        async with database.transaction(forces) as tx:
            known = await buried(tx, [(gone.force_id, gone.id) for gone in written])
        return {
            gone: at for gone, at in written.items() if known.get((gone.force_id, gone.id)) not in ("all", gone.what)
        }

    async def apply(self, database: Database, forces: Sequence[str], forget: Forget, now: datetime) -> int:
        """Have a restored database forget what it came back with; how many were forgotten."""
        missing = await self.missing(database, forces)
        if missing:
            async with database.transaction(forces) as tx:
                await forget(tx, list(missing), now)
                for at in set(missing.values()):
                    await bury(tx, [gone for gone, when in missing.items() if when == at], at, now)
            log(__name__).warning("a restored database has forgotten again whom it knew", tombstones=len(missing))
        return len(missing)

    def _append(self, lines: Sequence[tuple[Gone, datetime]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            broken = size > 0 and file.read() != b"\n"
            text = "".join(f"{gone.force_id} {gone.id} {gone.what} {at.isoformat()}\n" for gone, at in lines)
            file.write((b"\n" if broken else b"") + text.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
