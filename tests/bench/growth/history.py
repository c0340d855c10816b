"""What years of operation leave in feedback's database, written set by set: events consumed, and all that came of them.

A walk leaves ten events in the inbox (nine of them under ids that say their week, one under a random id), an
invitation, one and a half concerns with a referral each, the answers before and, of three women in five, after, a flag
and a follow-up of one in five, and two published events: twice as many rows as events. They are spread evenly over
five years and over 43 forces, a quarter of them the measured one's.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg

from shared.database import Queries
from tests.bench.figures import WrongEffect
from tests.bench.ground import SERVICE, Clone, Ground

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

YEARS: Final = 5
EVENTS_A_WALK: Final = 10
BYTES_AN_EVENT: Final = 800
"""Disk an event of history takes with all that came of it, and while its indexes are built."""
SHARES: Final = 10
"""Parts the open concerns come in, one for each measurement of them."""
_OPEN: Final = 20_000
"""Concerns nobody was asked about yet, the same in every database: the ones that are measured."""
_WEEKS: Final = timedelta(weeks=8)
"""Over these weeks before the end they lie scattered among the concerns of history."""
_STEP: Final = 50_000

_SQL: Final = Queries.read(Path(__file__).with_name("history.sql"))
_ROWS: Final[tuple[tuple[str, float], ...]] = (
    ("inbox_by_week", EVENTS_A_WALK - 1),
    ("inbox_at_random", 1),
    ("invitation", 1),
    ("concern", 1.5),
    ("referral", 1.5),
    ("answers_before", 1),
    ("answers_after", 0.6),
    ("flag", 0.2),
    ("follow_up", 0.2),
    ("outbox_key", 2),
    ("outbox_log", 2),
)
"""What is written, by its statement, and how many rows of it a walk leaves."""
_TABLES: Final = (
    "inbox", "invitation", "concern", "referral", "answers", "flag", "follow_up", "outbox_key", "outbox_log",
)  # fmt: skip


def open_concerns(end: datetime, share: int) -> list[UUID]:
    """The open concerns of one share, scattered over the weeks before the end like all of them."""
    return [_open(end, place)[1] for place in range(share % SHARES, _OPEN, SHARES)]


def all_open(end: datetime) -> list[UUID]:
    """Every open concern."""
    return [_open(end, place)[1] for place in range(_OPEN)]


def _open(end: datetime, place: int) -> tuple[datetime, UUID]:
    at = end - _WEEKS * ((place + 0.5) / _OPEN)
    drawn = int(hashlib.md5(b"open %d" % place, usedforsecurity=False).hexdigest()[:20], 16)
    value = int(at.timestamp() * 1000) << 80 | drawn
    return at, UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def room(folder: Path, events: int) -> None:
    """Refuse to begin where the disk would run full.

    :raises WrongEffect: with what is needed and what there is.
    """
    needed, free = 2_000_000_000 + events * BYTES_AN_EVENT, shutil.disk_usage(folder).free
    if free < needed:
        raise WrongEffect(
            f"a history of {events:,} events needs {needed / 1e9:.0f} GB below {folder}, and {free / 1e9:.1f} GB are"
            " free: set TMPDIR to a larger disk"
        )


async def lived_through(ground: Ground, events: int, end: datetime, told: Callable[[int], None]) -> tuple[Clone, int]:
    """A database with so many events of history up to `end`, open concerns among them; and its bytes on disk.

    `told` hears of every event's worth of rows.
    """
    name = f"{SERVICE}_after_{events}"
    admin = await asyncpg.connect(ground.postgres.admin_url)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {SERVICE} OWNER {SERVICE}_owner")
        # Nothing of this has to survive a crash while it is being made.
        await _durably(admin, False)
        try:
            clone = ground.named(name)
            connection = await asyncpg.connect(clone.admin_url, command_timeout=None)
            try:
                await _write(connection, events // EVENTS_A_WALK, end, told)
            finally:
                await connection.close()
        finally:
            await _durably(admin, True)
        await admin.execute("CHECKPOINT")
        # What was written without waiting for the disk must not reach it during a measurement.
        await asyncio.to_thread(os.sync)
        return clone, await admin.fetchval("SELECT pg_database_size($1)", name)
    finally:
        await admin.close()


def ends(now: datetime) -> datetime:
    """When the last walk of history was held: its events come within nine days, and this week's partitions are empty in
    every database, as they are in a new one."""
    week = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    return week - timedelta(days=10)


async def forget_the_present(admin_url: str, now: datetime) -> None:
    """Take out what measurements wrote this week, so that the next one finds what the first one found."""
    connection = await asyncpg.connect(admin_url)
    try:
        partitions = await connection.fetchval(
            "SELECT string_agg(quote_ident(relname), ', ') FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = ANY ($1::regclass[]) AND right(relname, 7) >= to_char($2::timestamptz, 'IYYY_IW')"
            " AND relname ~ '_[0-9]{4}_[0-9]{2}$'",
            ["inbox", "outbox_key", "invitation"],
            now,
        )
        await connection.execute(f"TRUNCATE outbox_pending, {partitions}")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _durably(admin: Connection, durable: bool) -> None:
    for setting in ("fsync", "full_page_writes"):
        await admin.execute(f"ALTER SYSTEM {'RESET' if durable else 'SET'} {setting}{'' if durable else ' = off'}")
    await admin.execute("SELECT pg_reload_conf()")


async def _write(connection: Connection, walks: int, end: datetime, told: Callable[[int], None]) -> None:
    await connection.execute("SET maintenance_work_mem = '512MB'; SET synchronous_commit = off")
    for function in ("id7", "id4", "moment", "walks", "raised"):
        await connection.execute(_SQL[function].sql)
    for weeks in range(YEARS * 53, 0, -4):
        await connection.execute("SELECT roll_partitions($1)", end - timedelta(weeks=weeks))
    await connection.execute("CREATE TEMP TABLE open_concern (at timestamptz, id uuid)")
    await connection.copy_records_to_table(
        "open_concern", records=[_open(end, place) for place in range(_OPEN)], columns=("at", "id")
    )
    keys = await connection.fetch(
        "SELECT conrelid::regclass::text AS of, conname AS name, pg_get_constraintdef(oid) AS definition"
        " FROM pg_constraint WHERE contype = 'p' AND conrelid = ANY ($1::regclass[])",
        list(_TABLES),
    )
    for key in keys:
        await connection.execute(f"ALTER TABLE {key['of']} DROP CONSTRAINT {key['name']}")
    whole = sum(share for _, share in _ROWS)
    for rows, share in _ROWS:
        for first in range(0, walks, _STEP):
            last = min(first + _STEP, walks)
            await connection.execute(_SQL[rows].sql, first, last, walks, end)
            told(round((last - first) * EVENTS_A_WALK * share / whole))
    await connection.execute("SELECT setval('outbox_position', $1)", 2 * walks + 1)
    for key in keys:
        await connection.execute(f"ALTER TABLE {key['of']} ADD CONSTRAINT {key['name']} {key['definition']}")
    await connection.execute("VACUUM ANALYZE")
