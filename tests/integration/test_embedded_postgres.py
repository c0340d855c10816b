"""The embedded PostgreSQL keeps what was committed, whatever ends it, and mends what a crash left behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from shared.embedded.postgres import AlreadyRunning, EmbeddedPostgres
from shared.embedded.processes import Birth, free_port


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this test alone, since it will be killed."""
    with tempfile.TemporaryDirectory(prefix="walkandtalk-tests-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        server = EmbeddedPostgres(Path(name) / "postgres", free_port())
        server.start()
        yield server
        server.remove()


async def run(server: EmbeddedPostgres, statement: str) -> object:
    """One statement in a session of its own; the first value it returns."""
    connection = await asyncpg.connect(server.admin_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_committed_rows_survive_a_kill(server: EmbeddedPostgres) -> None:
    """Rows committed before SIGKILL are there after the next start, twice in a row."""
    await run(server, "CREATE TABLE kept (n int)")
    for already in (0, 1):
        await run(server, "INSERT INTO kept VALUES (1)")
        server.kill()
        server.start()
        assert await run(server, "SELECT count(*) FROM kept") == already + 1


async def test_rows_and_password_survive_a_stop(server: EmbeddedPostgres) -> None:
    """A stopped server starts again in the same folder with its rows, its password, and perhaps another port."""
    await run(server, "CREATE TABLE kept AS SELECT 7 AS n")
    password = server.password
    server.stop()
    again = EmbeddedPostgres(server.folder, free_port())
    again.start()
    try:
        assert again.password == password
        assert await run(again, "SELECT n FROM kept") == 7
    finally:
        again.stop()


async def test_a_server_left_running_by_a_crash_is_taken_over(server: EmbeddedPostgres) -> None:
    """What an earlier run left running in the folder is stopped by the next start, and nothing is lost."""
    await run(server, "CREATE TABLE kept AS SELECT 7 AS n")
    assert server.pid is not None
    left = Birth.of(server.pid)
    server._release_lock()  # as the operating system does when the process that started it dies
    successor = EmbeddedPostgres(server.folder, free_port())
    successor.start()
    try:
        assert left is not None and not left.alive()
        assert await run(successor, "SELECT n FROM kept") == 7
    finally:
        successor.stop()


async def test_a_pid_file_that_names_a_stranger_is_no_hindrance(server: EmbeddedPostgres) -> None:
    """A stale pid file whose number another program has now is removed; that program is left alone."""
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    server.start()
    assert psutil.pid_exists(os.getpid())
    assert await run(server, "SELECT 1") == 1


def test_two_may_not_use_one_folder(server: EmbeddedPostgres) -> None:
    """A second start in the folder of a living server is refused and disturbs nothing."""
    with pytest.raises(AlreadyRunning, match="in use"):
        EmbeddedPostgres(server.folder, free_port()).start()
    assert server.running()


async def test_it_listens_to_this_machine_with_a_password_only(server: EmbeddedPostgres) -> None:
    """No socket file, no other address, no entry without the password; the password is for its owner's eyes."""
    assert await run(server, "SHOW listen_addresses") == "127.0.0.1"
    assert await run(server, "SHOW unix_socket_directories") == ""
    assert await run(server, "SHOW fsync") == "on"
    assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host="127.0.0.1", port=server.port, user="postgres", password="wrong")


async def test_its_log_does_not_repeat_what_people_wrote(server: EmbeddedPostgres) -> None:
    """A statement that fails on data leaves neither the statement nor the value in the server's log."""
    await run(server, "CREATE TABLE person (name text PRIMARY KEY)")
    await run(server, "INSERT INTO person VALUES ('canary-name')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await run(server, "INSERT INTO person VALUES ('canary-name')")
    assert "canary-name" not in server.log.read_text()
