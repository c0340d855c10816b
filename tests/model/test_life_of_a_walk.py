"""A walk lives: whatever people command and the bus brings, in whatever order, nothing forbidden comes about."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from services.assignment import handlers
from tests.model.walk.allowed import Forbidden
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
    assert all(explored.done[one] for one in ("take", "arrange", "complete", "join", "bring a second", "disclose"))


@dataclass(frozen=True)
class Missing:
    """A rule that somebody forgot: functions that let everything pass, and what the database holds beside them."""

    functions: Mapping[str, object]
    statements: Sequence[str] = ()


def _nothing(*arguments: object, **named: object) -> None:
    """Lets everything pass."""


async def _nothing_awaited(*arguments: object, **named: object) -> None:
    """The same, awaited."""


MISSING = {
    "who may walk": Missing(
        {
            "services.assignment.domain.taking.refuse_who_may_not_walk": _nothing,
            "services.assignment.handlers.arranging.refuse_who_may_not": _nothing_awaited,
        },
        ["DROP TRIGGER officer_may_walk_new ON walk", "DROP TRIGGER officer_may_walk_changed ON walk"],
    ),
    "who may walk, but for the table": Missing(
        {
            "services.assignment.domain.taking.refuse_who_may_not_walk": _nothing,
            "services.assignment.handlers.arranging.refuse_who_may_not": _nothing_awaited,
        }
    ),
    "one walk at a time": Missing(
        {"services.assignment.store.booking.refuse_double_booking": _nothing_awaited},
        ["ALTER TABLE booking DROP CONSTRAINT officer_double_booked"],
    ),
    "whom she excludes": Missing({"services.assignment.domain.walks.Walk.excludes_officer": lambda *_: False}),
    "what was disclosed comes first": Missing({"services.assignment.domain.record.refuse_closing": _nothing}),
    "what is over stays over": Missing({"services.assignment.domain.arranging.refuse_ended": _nothing}),
}


@pytest.mark.parametrize("rule", MISSING)
def test_a_rule_that_is_missing_is_found(place: Place, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one of the rules the same runs come upon what it forbids, or the database refuses it."""
    for name, instead in MISSING[rule].functions.items():
        monkeypatch.setattr(name, instead)
    for statement in MISSING[rule].statements:
        place.run(place.admin.execute(statement))
    with pytest.raises((Forbidden, asyncpg.PostgresError)):
        run_state_machine_as_test(
            lambda: LifeOfAWalk(place, Explored()),  # type: ignore[arg-type]  # as above
            settings=settings(SHORT, max_examples=100),
        )
