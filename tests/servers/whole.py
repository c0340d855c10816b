"""The whole system on one machine, started once for all tests of it; one that stops a part starts it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import pytest

from shared.embedded.processes import free_port
from shared.embedded.stack import Ports, Stack


def ports_of_our_own() -> Ports:
    """Ports no other stack of this machine tries first."""
    chosen: list[int] = []
    for _ in astuple(Ports()):
        chosen.append(free_port(avoid=chosen))
    return Ports(*chosen)


@pytest.fixture(scope="session")
def stack(server_folder: Path) -> Iterator[Stack]:
    """PostgreSQL, broker, identity provider, mailbox and the four services."""
    with Stack(server_folder / "stack", ports_of_our_own()) as running:
        yield running
