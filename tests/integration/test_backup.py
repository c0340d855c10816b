"""A dump without keys, and a copy of keys that is soon thrown away: who was erased is in no dump that can be opened."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from services.intake.domain.person import WrappedKey
from services.intake.handlers.drafts import begin_draft
from services.intake.handlers.hers import PRIVATE_LINK
from shared.backup import BackupFailed, dump, keep_apart, newest, put_back, restore
from shared.cli.backups import programs  # the one place that knows where they are
from tests.integration.test_intake_pages import csrf_of
from tests.servers.databases import ServiceDatabaseMaker, beside
from tests.servers.intake_service import FORCE, Intake, intake_service

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


async def erase(intake: Intake, request_id: str) -> None:
    page = f"/your-request/{intake.deps.keeping.vault.seal_text(PRIVATE_LINK, [FORCE, UUID(request_id).hex])}/erase"
    async with intake.client() as client:
        token = csrf_of(await client.get(page))
        assert (await client.post(page, data={"csrf_token": token})).status_code == 200


@contextmanager
def empty_database(beside_url: str) -> Iterator[str]:
    """A database with nothing in it on the same server; its address."""
    url = beside_url + "_restored"
    server, _, name = url.rpartition("/")

    async def run(statement: str) -> None:
        admin = await asyncpg.connect(f"{server}/postgres")
        try:
            await admin.execute(statement)
        finally:
            await admin.close()

    beside(run(f"CREATE DATABASE {name}"))
    try:
        yield url
    finally:
        beside(run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


async def opened(intake: Intake, url: str) -> set[str]:
    """The names that today's ring and the keys in this database open."""
    connection = await asyncpg.connect(url)
    names = set()
    vault = intake.deps.keeping.vault
    try:
        for row in await connection.fetch(
            "SELECT p.id, p.sealed, k.master, k.wrapped_key FROM participant AS p JOIN participant_key AS k"
            " ON k.participant_id = p.id"
        ):
            key = vault.data_key(WrappedKey(row["master"], row["wrapped_key"]), str(row["id"]))
            names.add(key.open(row["sealed"], f"person {row['id']}")["name"])
    finally:
        await connection.close()
    return names


async def test_an_older_dump_and_todays_keys_open_everybody_but_whom_was_erased(intake: Intake, tmp_path: Path) -> None:
    """Before any tombstone is applied. The dump alone opens nobody, and holds neither digests nor half-filled forms;
    with the copy of keys made after the erasure her row is there and stays shut."""
    hers = await intake.ask(name="Ceridwen", contact={"email": "ceridwen@example.com"})
    await intake.ask(name="Another", contact={"email": "another@example.com"})
    async with intake.database.web.transaction([FORCE]) as tx:
        await begin_draft(tx, FORCE, {"name": "Half Filled In"}, intake.now, keeping=intake.deps.keeping)
    url, keys, file = intake.database.admin_url, tmp_path / "keys", tmp_path / "intake.dump"
    left_out = await dump(url, file, programs())
    assert set(left_out) == {"participant_key", "participant_digest", "draft"}
    assert (await keep_apart(url, keys, "intake", NOW, WEEK)) is not None
    await erase(intake, hers["request_id"])
    later = NOW + timedelta(days=8)
    kept = await keep_apart(url, keys, "intake", later, WEEK)
    assert kept is not None and len(kept.thrown_away) == 1 and os.listdir(keys) == [kept.file.name]
    assert kept.rows == {"participant_digest": 1, "participant_key": 1}
    with empty_database(url) as restored:
        restore(restored, file, programs())
        assert await opened(intake, restored) == set()
        connection = await asyncpg.connect(restored)
        try:
            for table, many in (("participant", 2), ("participant_key", 0), ("participant_digest", 0), ("draft", 0)):
                assert await connection.fetchval(f"SELECT count(*) FROM {table}") == many, table  # noqa: S608  # above
        finally:
            await connection.close()
        assert await put_back(restored, kept.file) == {"participant_digest": (1, 0), "participant_key": (1, 0)}
        assert await opened(intake, restored) == {"Another"}
        assert await put_back(restored, kept.file) == {"participant_digest": (1, 0), "participant_key": (1, 0)}


async def test_keys_of_whom_the_dump_does_not_know_are_left_out(intake: Intake, tmp_path: Path) -> None:
    """The copy of keys is newer than the dump: who asked in between is in it and not in the dump."""
    await intake.ask(name="Before")
    url, file = intake.database.admin_url, tmp_path / "intake.dump"
    await dump(url, file, programs())
    await intake.ask(name="After")
    kept = await keep_apart(url, tmp_path, "intake", NOW, WEEK)
    assert kept is not None
    with empty_database(url) as restored:
        restore(restored, file, programs())
        assert (await put_back(restored, kept.file))["participant_key"] == (1, 1)
        assert await opened(intake, restored) == {"Before"}


async def test_a_copy_that_lacks_keys_is_not_made(intake: Intake, tmp_path: Path) -> None:
    """A database put back without its keys must not replace the only copy of them; unless they are known to be lost."""
    for n in range(3):
        await intake.ask(contact={"email": f"woman-{n}@example.com"})
    url = intake.database.admin_url
    first = await keep_apart(url, tmp_path, "intake", NOW, WEEK)
    assert first is not None
    await intake.admin.execute("DELETE FROM participant_key WHERE ctid <> '(0,1)'")
    with pytest.raises(BackupFailed, match="2 rows have no key"):
        await keep_apart(url, tmp_path, "intake", NOW + timedelta(days=30), WEEK)
    assert os.listdir(tmp_path) == [first.file.name]
    assert (await put_back(url, first.file))["participant_key"] == (3, 0)
    assert await keep_apart(url, tmp_path, "intake", NOW + timedelta(days=30), WEEK) is not None
    assert first.file.name not in os.listdir(tmp_path)
    await intake.admin.execute("DELETE FROM participant_key")
    assert await keep_apart(url, tmp_path, "intake", NOW + timedelta(days=31), WEEK, lost=True) is not None


async def test_a_broken_copy_is_said_to_be_broken(intake: Intake, tmp_path: Path) -> None:
    """One altered byte, or half of it: nothing is put back."""
    await intake.ask()
    kept = await keep_apart(intake.database.admin_url, tmp_path, "intake", NOW, WEEK)
    assert kept is not None and kept.file.stat().st_mode & 0o077 == 0
    whole = kept.file.read_bytes()
    at = whole.index(b"PGCOPY") + 30
    for content in (whole[:-40], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], b""):
        kept.file.write_bytes(content)
        with pytest.raises(BackupFailed, match="broken"):
            await put_back(intake.database.admin_url, kept.file)


async def test_what_opens_her_is_in_a_table_of_its_own_and_marked(intake: Intake) -> None:
    """No other table of intake holds a wrapped key; what the master key alone would give away is marked too."""
    columns = await intake.rows(
        "SELECT table_name FROM information_schema.columns WHERE column_name IN ('wrapped_key', 'master')"
    )
    assert {row["table_name"] for row in columns} == {"participant_key"}
    marks = await intake.rows(
        "SELECT relname, obj_description(oid, 'pg_class') AS mark FROM pg_class"
        " WHERE relkind = 'r' AND obj_description(oid, 'pg_class') LIKE 'backup: %'"
    )
    assert {row["relname"]: row["mark"] for row in marks} == {
        "participant_key": "backup: apart",
        "participant_digest": "backup: apart",
        "draft": "backup: none",
    }


def test_dumps_and_keys_do_not_go_into_one_folder(tmp_path: Path) -> None:
    """Together they would open what was erased, for as long as the dump is kept."""
    done = subprocess.run(
        [sys.executable, "-m", "shared.cli", "backup", "--dumps", str(tmp_path), "--keys", str(tmp_path)],
        env={**os.environ, "WALKANDTALK_DATABASE_ADMIN_URL": "postgresql://a:b@127.0.0.1:1/c"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and "must not stand in one folder" in done.stderr.replace("\n", " ")


def test_the_newest_copy_is_taken(tmp_path: Path) -> None:
    """By its name, not by when the file was touched; other services' and other files are not looked at."""
    for name in (
        "intake-20261124T030000Z.keys",
        "intake-20261123T030000Z.keys",
        "other-20261125T030000Z.keys",
        "x.keys",
    ):
        (tmp_path / name).touch()
    found = newest(tmp_path, "intake")
    assert found is not None and found.name == "intake-20261124T030000Z.keys"
    assert newest(tmp_path / "nowhere", "intake") is None
