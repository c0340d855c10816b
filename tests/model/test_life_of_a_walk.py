"""A walk lives: whatever people command and the bus brings, in whatever order, nothing forbidden comes about."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from services.assignment import handlers
from tests.model.walk.commands import COMMANDS
from tests.model.walk.machine import Explored, LifeOfAWalk
from tests.model.walk.place import Place
from tests.servers.databases import ServiceDatabase

SHORT = settings(
    max_examples=25,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    # A run that fails is printed as it is; to make it smaller takes minutes, and the deep profile does.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def place(database_for_browser, tmp_path: Path) -> Iterator[Place]:  # type: ignore[no-untyped-def]
    """Assignment on a database of its own."""
    database: ServiceDatabase = database_for_browser("assignment")
    opened = Place(database, tmp_path)
    yield opened
    opened.close()


def test_every_command_of_a_walk_is_drawn() -> None:
    """A command that handlers take of a walk has its row in commands.py."""
    found = set()
    for module in pkgutil.iter_modules(handlers.__path__, f"{handlers.__name__}."):
        for _, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if one.__module__ == module.name and is_dataclass(one):
                names = {each.name for each in fields(one)}
                if "by" in names and names & {"walk_id", "disclosure_id"}:
                    found.add(one)
    assert found == {way.type for way in COMMANDS.values()}


def test_nothing_forbidden_comes_about(place: Place, deep: bool) -> None:
    """Nobody untrained, not allowed or excluded has a walk, no officer two at once; what ended was held or cancelled,
    told once, and stays so; with records that come late, twice and in any order."""
    explored = Explored()
    profile = settings(settings(), database=None, suppress_health_check=list(HealthCheck)) if deep else SHORT
    run_state_machine_as_test(
        lambda: LifeOfAWalk(place, explored),  # type: ignore[arg-type]  # anything that makes a machine will do
        settings=profile,
    )
    for what in (explored.steps, explored.done, explored.refused, explored.states):
        print(", ".join(f"{name} {many}" for name, many in sorted(what.items())))  # noqa: T201  # pytest -rP shows it
    assert all(explored.done[one] for one in ("take", "arrange", "complete", "note", "pass concerns on"))
