"""Fixtures of all tests: real servers, each started once when the first test asks for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.embedded.broker import PARTITIONS, EmbeddedBroker
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port
from shared.embedded.stack import stop_on_sigterm
from shared.observability import configure_logging
from tests.servers.apache_kafka import ApacheKafka
from tests.servers.jars import Lacking
from tests.servers.lacking import lacks, named
from tests.servers.local_programs import IdentityServer, MailboxServer, identity_server, mailbox_server

pytest_plugins = [
    "tests.servers.once_a_run",
    "tests.servers.databases",
    "tests.servers.whole",
    "tests.servers.two_forces",
]

configure_logging("tests", "WARNING")


def pytest_sessionstart() -> None:
    """Let SIGTERM (a time limit, a supervisor) end the run as Ctrl-C does, so that fixtures stop their servers."""
    stop_on_sigterm()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what this machine lacks, so that a green run cannot be taken for a whole one."""
    if named:
        terminalreporter.section("not everything could run here")
        for what in sorted(named):
            terminalreporter.line(f"this machine lacks: {what}")


MEMORY = Path("/dev/shm")
ROOM = 6 * 1024**3
"""Bytes that the servers of a whole run may need."""


def in_memory() -> Path | None:
    """Where files stand in memory, on a machine with room for them: a database a test is made and dropped in a tenth of
    the time. A server that is killed finds there what it had written, as it does on a disk that stays."""
    if os.environ.get("TMPDIR") or not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    room = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    return MEMORY if room >= ROOM else None


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder for the data of this run's servers.

    Not pytest's own: that one is closed to others, and a PostgreSQL started by root runs as another user.
    """
    with tempfile.TemporaryDirectory("", "walkandtalk-tests-", in_memory(), ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """PostgreSQL 17, empty but for its own databases."""
    server = EmbeddedPostgres(server_folder / "postgres", free_port())
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def embedded_broker(server_folder: Path) -> Iterator[EmbeddedBroker]:
    """The embedded broker. Tests that kill it start one of their own."""
    topics = {f"test-{n}.v1": PARTITIONS for n in range(4)}
    broker = EmbeddedBroker(free_port(), server_folder / "broker", topics)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def apache_kafka(server_folder: Path) -> Iterator[ApacheKafka]:
    """Apache Kafka 4, one node. Without Java or its jars the test is skipped, or fails with REQUIRE_ALL=1."""
    port = free_port()
    server = ApacheKafka(server_folder / "kafka", port, free_port(avoid=[port]))
    try:
        server.start()
    except Lacking as lacking:
        lacks(str(lacking))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def identity_provider(server_folder: Path) -> Iterator[IdentityServer]:
    """The demo identity provider; tokens come from shared.embedded.sign_in.bearer_token."""
    with identity_server(server_folder / "identity") as server:
        yield server


@pytest.fixture(scope="session")
def mailbox(server_folder: Path) -> Iterator[MailboxServer]:
    """The mailbox, shared by the whole run: look for your own recipient."""
    with mailbox_server(server_folder / "mailbox") as server:
        yield server
