"""The demo identity provider and the mailbox as the stack runs them, for tests that need only these."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.processes import free_port
from shared.embedded.program import Program

CLIENT_ID = "walkandtalk"
CLIENT_SECRET = "only-for-tests"  # noqa: S105 - a made-up client of a provider that lives as long as the tests


@dataclass(frozen=True)
class IdentityServer:
    """Where the demo provider is, and the one client it knows."""

    issuer: str
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET


@dataclass(frozen=True)
class MailboxServer:
    """Where messages are taken and where they are shown."""

    smtp_port: int
    url: str
    program: Program
    folder: Path
    """Each message as it came, ID.eml."""


@contextmanager
def identity_server(folder: Path) -> Iterator[IdentityServer]:
    """The demo provider on a free port."""
    port = free_port()
    environment = {
        "WALKANDTALK_EMBEDDED": "1",
        "WALKANDTALK_OIDC_CLIENT_ID": CLIENT_ID,
        "WALKANDTALK_OIDC_CLIENT_SECRET": CLIENT_SECRET,
    }
    program = Program("identity", "shared.embedded.identity", port, folder, ("--port", str(port)), environment)
    with _running(program):
        yield IdentityServer(f"http://localhost:{port}")


@contextmanager
def mailbox_server(folder: Path) -> Iterator[MailboxServer]:
    """A mailbox on free ports."""
    smtp, port = free_port(), free_port()
    arguments = ("--smtp-port", str(smtp), "--http-port", str(port), "--folder", str(folder / "mail"))
    program = Program("mailbox", "shared.embedded.mailbox", port, folder, arguments)
    with _running(program):
        yield MailboxServer(smtp, f"http://localhost:{port}", program, folder / "mail")


@contextmanager
def _running(program: Program) -> Iterator[None]:
    program.start()
    try:
        program.wait()
        yield
    finally:
        program.stop()
