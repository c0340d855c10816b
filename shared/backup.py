"""Backups in two parts that are only of use together: a dump of a database, and a copy of the keys that open it.

A dump is kept as long as a force keeps dumps. What a table's comment calls `backup: apart` is not in it: that stands in
a copy of its own, of which a fresh one is made each time and old ones are thrown away within days. Who was erased is in
no later copy of the keys, so an older dump opens everybody but her. `backup: none` is in neither.
"""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import asyncpg

_APART: Final = "backup: apart"
_NONE: Final = "backup: none"
_MARKED: Final = """
SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS mark FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND obj_description(c.oid, 'pg_class') LIKE 'backup: %' ORDER BY c.relname
"""
_PARENT: Final = """
SELECT format('EXISTS (SELECT FROM %s AS p WHERE %s)', f.confrelid::regclass, string_agg(
    format('p.%I = c.%I', theirs.attname, ours.attname), ' AND ')) AS there
FROM pg_constraint AS f
CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS k (ours, theirs)
JOIN pg_attribute AS ours ON ours.attrelid = f.conrelid AND ours.attnum = k.ours
JOIN pg_attribute AS theirs ON theirs.attrelid = f.confrelid AND theirs.attnum = k.theirs
WHERE f.contype = 'f' AND f.conrelid = $1::regclass GROUP BY f.oid, f.confrelid
"""
_LACKING: Final = """
SELECT format('SELECT count(*) FROM %s AS p WHERE NOT EXISTS (SELECT FROM %s AS c WHERE %s)',
    f.confrelid::regclass, f.conrelid::regclass,
    string_agg(format('p.%I = c.%I', theirs.attname, ours.attname), ' AND ')) AS many
FROM pg_constraint AS f
JOIN pg_constraint AS one ON one.conrelid = f.conrelid AND one.contype = 'p' AND one.conkey = f.conkey
CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS k (ours, theirs)
JOIN pg_attribute AS ours ON ours.attrelid = f.conrelid AND ours.attnum = k.ours
JOIN pg_attribute AS theirs ON theirs.attrelid = f.confrelid AND theirs.attnum = k.theirs
WHERE f.contype = 'f' AND f.conrelid = $1::regclass GROUP BY f.oid, f.confrelid, f.conrelid
"""
"""For a table with one row a row of another: how many rows of the other have none."""
_MANIFEST: Final = "manifest.json"
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_HOURS: Final = 6


class BackupFailed(Exception):
    """A backup was not made, or not put back; the message says why and holds no password."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy of keys that was made, its rows by table, and the older ones that were thrown away."""

    file: Path
    rows: Mapping[str, int]
    thrown_away: tuple[Path, ...]


async def dump(url: str, file: Path, programs: Path | None = None) -> tuple[str, ...]:
    """Write a dump of a database, as its administrator, without these tables: those kept apart or not at all.

    :param programs: the folder of pg_dump, where it is not on the path.
    :raises BackupFailed:
    """
    left_out = tuple(await _marked(url))
    draft = file.with_name(f".{file.name}.part")
    without = [f"--exclude-table-data=public.{name}" for name in left_out]
    with _for_its_owner(draft) as out:
        out.close()
    _run(programs, "pg_dump", "-Fc", "--no-unlogged-table-data", *without, "-f", str(draft), url=url)
    os.replace(draft, file)
    return left_out


async def keep_apart(
    url: str, folder: Path, service: str, now: datetime, keep: timedelta, *, lost: bool = False
) -> Kept | None:
    """Write a copy of what a database keeps apart from its dump, read it again, and throw older copies away; None where
    it keeps nothing apart.

    :param keep: how long an older copy is kept; the one that was just made stays in any case.
    :param lost: it is known that rows have lost their keys for good.
    :raises BackupFailed: a row has no key, as after a restore that is not finished: older copies may have it still.
    """
    tables = [name for name, mark in (await _marked(url)).items() if mark == _APART]
    if not tables:
        return None
    parts, rows, lacking = await _read(url, tables)
    if lacking and not lost:
        raise BackupFailed(
            f"{service}: {lacking} rows have no key, so nothing was written. After a restore: put the keys back"
            " (walkandtalk restore), start the service, try again. If they are lost for good, say --lost-keys."
        )
    file = folder / f"{service}-{now:{_STAMP}}.keys"
    draft = folder / f".{file.name}.part"
    with _for_its_owner(draft) as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_MANIFEST, json.dumps({"service": service, "rows": rows}))
            for name, content in parts.items():
                archive.writestr(name, content)
        out.flush()
        os.fsync(out.fileno())
    if _counts(draft) != rows:
        raise BackupFailed(f"{draft} does not hold what was written")
    os.replace(draft, file)
    old = tuple(one for one, made in _copies(folder, service) if one != file and now - made > keep)
    for one in old:
        one.unlink(missing_ok=True)
    return Kept(file, rows, old)


def restore(url: str, file: Path, programs: Path | None = None) -> None:
    """Put a dump back in place of all that stands in a database, in one transaction.

    :raises BackupFailed: it could not be; the database stands as before.
    """
    options = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error")
    _run(programs, "pg_restore", *options, "-d", urlsplit(url).path.lstrip("/"), str(file), url=url)


async def put_back(url: str, file: Path) -> dict[str, tuple[int, int]]:
    """Put back what was kept apart: rows by table, and how many were left out because what they belong to is not there.

    Doing it again changes nothing.

    :raises BackupFailed: the copy is broken, or the database has no such tables.
    """
    counts = _counts(file)
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            tables = {row["name"] for row in await connection.fetch(_MARKED) if row["mark"] == _APART}
            if not set(counts) <= tables:
                raise BackupFailed(f"{file.name} holds tables that the database has not")
            done = {}
            with zipfile.ZipFile(file) as archive:
                for name in counts:
                    done[name] = await _insert(connection, name, archive.read(name), counts[name])
            return done
    finally:
        await connection.close()


def newest(folder: Path, service: str) -> Path | None:
    """The latest copy of a service's keys."""
    found = _copies(folder, service)
    return max(found, key=lambda one: one[1])[0] if found else None


async def _insert(connection: asyncpg.Connection[Any], name: str, content: bytes, many: int) -> tuple[int, int]:
    # The name is one that the database itself has given.
    await connection.execute(f'CREATE TEMP TABLE coming ON COMMIT DROP AS SELECT * FROM "{name}" LIMIT 0')  # noqa: S608  # as above
    await connection.copy_to_table("coming", source=BytesIO(content), format="binary")
    there = " AND ".join(row["there"] for row in await connection.fetch(_PARENT, f'public."{name}"')) or "true"
    of = f"FROM coming AS c WHERE {there}"
    belong = await connection.fetchval(f"SELECT count(*) {of}")
    await connection.execute(f'INSERT INTO "{name}" SELECT c.* {of} ON CONFLICT DO NOTHING')
    await connection.execute("DROP TABLE coming")
    return belong, many - belong


async def _marked(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    try:
        return {row["name"]: row["mark"] for row in await connection.fetch(_MARKED)}
    finally:
        await connection.close()


async def _read(url: str, tables: list[str]) -> tuple[dict[str, bytes], dict[str, int], int]:
    """What stands in these tables at one moment, the rows of each, and how many rows elsewhere lack their key."""
    connection = await asyncpg.connect(url)
    parts: dict[str, bytes] = {}
    rows: dict[str, int] = {}
    lacking = 0
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for name in tables:
                out = BytesIO()
                said = await connection.copy_from_table(name, output=out, format="binary")
                parts[name], rows[name] = out.getvalue(), int(said.rpartition(" ")[2])
                for counted in await connection.fetch(_LACKING, f'public."{name}"'):
                    lacking += await connection.fetchval(counted["many"])
    finally:
        await connection.close()
    return parts, rows, lacking


def _counts(file: Path) -> dict[str, int]:
    """How many rows a copy says it has, once every part of it was found to be whole."""
    try:
        with zipfile.ZipFile(file) as archive:
            broken = archive.testzip()
            found: dict[str, int] = json.loads(archive.read(_MANIFEST))["rows"]
            if broken is None and set(found) | {_MANIFEST} == set(archive.namelist()):
                return found
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        pass
    raise BackupFailed(f"{file.name} is broken or is no copy of keys")


def _copies(folder: Path, service: str) -> list[tuple[Path, datetime]]:
    found = []
    for file in folder.glob(f"{service}-*.keys"):
        try:
            made = datetime.strptime(f"{file.stem.removeprefix(f'{service}-')}+0000", f"{_STAMP}%z")
        except ValueError:
            continue
        found.append((file, made))
    return found


def _for_its_owner(file: Path) -> Any:
    file.parent.mkdir(parents=True, exist_ok=True)
    return open(os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")


def _run(programs: Path | None, name: str, *arguments: str, url: str) -> None:
    parts = urlsplit(url)
    # The address holds a password: by environment, so that no process list shows it.
    told = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
    }
    program = str(programs / name) if programs else name
    try:
        done = subprocess.run(
            [program, *arguments],
            env={**os.environ, **told},
            capture_output=True,
            text=True,
            timeout=_HOURS * 3600,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise BackupFailed(f"{program} could not be run: {type(fault).__name__}") from None
    if done.returncode != 0:
        raise BackupFailed(f"{name}: {done.stderr.strip()}")
