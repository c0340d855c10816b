"""The log of who collected, consulted, altered, disclosed or erased personal data (Data Protection Act 2018 s.62).

Rows are written in the transaction of what they tell of. Within a second a sealer chains them: each link's hash covers
its rows and the link before. The head goes to a file outside the database, so that a tail cut off there shows too.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from shared.database import Database, Queries, Row, Transaction

QUERIES: Final = Queries.read(Path(__file__).with_name("audit.sql"))
LARGEST_LINK: Final = 2000
_ROOT: Final = b""
"""What the first link follows."""

Action = Literal["collected", "consulted", "altered", "disclosed", "erased"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to whose data, and why; `subject` is an id, never a name."""

    force_id: str
    actor: str
    action: Action
    subject: str
    reason: str
    recipient: str | None = None


async def record(tx: Transaction, entries: Sequence[Entry], now: datetime) -> None:
    """Write entries in the caller's transaction; `now` is UTC."""
    if entries:
        await tx.run(
            QUERIES.record,
            now,
            [one.force_id for one in entries],
            [one.actor for one in entries],
            [one.action for one in entries],
            [one.subject for one in entries],
            [one.reason for one in entries],
            [one.recipient for one in entries],
        )


async def seal(database: Database, forces: Sequence[str], clock: Callable[[], datetime], anchor: Path | None) -> int:
    """Chain what has not been sealed, and write the chain's head to `anchor`; how many rows were sealed.

    `forces` are all forces of the installation, and the database is open under its bus role. Where several processes
    seal, one does so at a time; each may keep an anchor of its own, for every head vouches for all before it.
    """
    async with database.transaction(forces) as tx:
        if not await tx.fetch_value(QUERIES.become_sealer):
            return 0
        head = await tx.fetch_row(QUERIES.head)
        link, previous = (head["link"], head["hash"]) if head else (0, _ROOT)
        rows = await tx.fetch(QUERIES.take_unsealed, LARGEST_LINK)
        if rows:
            link, previous = link + 1, _hash(previous, rows)
            await tx.run(QUERIES.add_link, link, [row["id"] for row in rows], previous, clock())
    # After the commit: a head that never came to be must not stand outside. If we die here the next sealing does it.
    if anchor is not None and link:
        await asyncio.to_thread(_anchor, anchor, link, previous)
    return len(rows)


async def verify(database: Database, forces: Sequence[str], anchor: Path | None) -> list[str]:
    """What is wrong with the log, a sentence a fault; empty when nothing was altered, removed or cut off.

    `forces` as for seal(): rows of a force left out would seem to be removed.
    """
    faults: list[str] = []
    heads: dict[int, bytes] = {}
    async with database.transaction(forces) as tx:
        await tx.fetch_value(QUERIES.wait_for_sealer)
        anchored = await asyncio.to_thread(_anchored, anchor) if anchor is not None else {}
        last, previous = 0, _ROOT
        while links := await tx.fetch(QUERIES.links, last, 200):
            ids = [id_ for link in links for id_ in link["ids"]]
            rows = {row["id"]: row for row in await tx.fetch(QUERIES.rows_of, ids)}
            for link in links:
                if link["link"] != last + 1:
                    faults.append(f"Links {last + 1} to {link['link'] - 1} were removed.")
                faults += _faults_of(link, previous, rows, contiguous=link["link"] == last + 1)
                last, previous = link["link"], link["hash"]
                heads[last] = previous
        for row in await tx.fetch(QUERIES.rows_without_seal):
            faults.append(f"Row {row['id']} was put in without a seal.")
        for row in await tx.fetch(QUERIES.waiting_without_row):
            faults.append(f"Row {row['id']} was removed before it was sealed.")
    for link_, hash_ in sorted(anchored.items()):
        if link_ > last:
            faults.append(f"The log was cut off: link {link_} is anchored and gone.")
        elif link_ in heads and heads[link_] != hash_:
            faults.append(f"Link {link_} is not the one that was anchored.")
    if anchor is not None and last and last not in anchored:
        faults.append(f"Link {last} is not anchored.")
    return faults


def _faults_of(link: Row, previous: bytes, rows: Mapping[int, Row], contiguous: bool) -> list[str]:
    gone = [id_ for id_ in link["ids"] if id_ not in rows]
    if gone:
        return [f"Row {id_} was removed." for id_ in gone]
    if contiguous and _hash(previous, [rows[id_] for id_ in link["ids"]]) != link["hash"]:
        return [f"Link {link['link']} does not fit its rows ({_span(link['ids'])}): something was altered."]
    return []


def _span(ids: Sequence[int]) -> str:
    return str(ids[0]) if len(ids) == 1 else f"{min(ids)} to {max(ids)}"


def _hash(previous: bytes, rows: Sequence[Row]) -> bytes:
    """SHA-256 over the link before and the canonical content of the rows, a line each."""
    found = hashlib.sha256(previous)
    for row in rows:
        content = [
            row["force_id"],
            row["id"],
            row["at"].astimezone(UTC).isoformat(timespec="microseconds"),
            row["actor"],
            row["action"],
            row["subject"],
            row["reason"],
            row["recipient"],
        ]
        found.update(b"\n" + json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode())
    return found.digest()


def _anchor(path: Path, link: int, head: bytes) -> None:
    """Append the head unless it stands there; a line broken off by a crash is closed first."""
    line = f"{link} {head.hex()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 200))
        tail = file.read()
        if tail.rstrip(b"\n").rpartition(b"\n")[2] == line.encode() and tail.endswith(b"\n"):
            return
        file.write((b"" if not tail or tail.endswith(b"\n") else b"\n") + f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def _anchored(path: Path) -> dict[int, bytes]:
    """The heads that were anchored; lines that cannot be read were broken off and written again."""
    found: dict[int, bytes] = {}
    if path.exists():
        for line in path.read_text(encoding="ascii", errors="replace").splitlines():
            link, _, digest = line.partition(" ")
            if link.isdigit() and len(digest) == 64:
                with suppress(ValueError):
                    found.setdefault(int(link), bytes.fromhex(digest))
    return found
