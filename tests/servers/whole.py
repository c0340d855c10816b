"""The whole system on one machine, started once for all tests of it; one that stops a part starts it again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import pytest

from shared.embedded.processes import free_port
from shared.embedded.program import ROOT
from shared.embedded.stack import Ports, Stack
from shared.geography.postcodes import Postcodes


def ports_of_our_own() -> Ports:
    """Ports no other stack of this machine tries first."""
    chosen: list[int] = []
    for _ in astuple(Ports()):
        chosen.append(free_port(avoid=chosen))
    return Ports(*chosen)


def with_postcodes(folder: Path) -> Path:
    """A stack's folder that has the postcode store already: it takes seconds to make and is the same everywhere."""
    made = ROOT / ".walkandtalk" / "data"
    Postcodes.open(made)
    for store in made.glob("postcodes-*"):
        shutil.copytree(store, folder / "data" / store.name, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def stack(server_folder: Path) -> Iterator[Stack]:
    """PostgreSQL, broker, identity provider, mailbox and the four services."""
    with Stack(with_postcodes(server_folder / "stack"), ports_of_our_own()) as running:
        yield running
