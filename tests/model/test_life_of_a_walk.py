"""A walk lives: whatever people command and the bus brings, in whatever order, nothing forbidden comes about."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

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
    assert all(explored.done[one] for one in ("take", "arrange", "complete"))


@dataclass(frozen=True)
class Missing:
    """A rule that somebody forgot: what comes about, and which functions and parts of the database let it pass."""

    happens: Callable[[LifeOfAWalk], None]
    functions: Mapping[str, object]
    statements: Sequence[str] = ()


def _nothing(*arguments: object, **named: object) -> None:
    """Lets everything pass."""


async def _nothing_awaited(*arguments: object, **named: object) -> None:
    """The same, awaited."""


def _untrained(life: LifeOfAWalk) -> None:
    life.register_changes(officer=0, number=1)
    life.goes_well(who=0, walk=0, hours=0, far=2)


def _two_at_once(life: LifeOfAWalk) -> None:
    for walk in (0, 1):
        life.goes_well(who=0, walk=walk, hours=0, far=2)


def _cancelled_when_over(life: LifeOfAWalk) -> None:
    life.goes_well(who=0, walk=0, hours=0, far=4)
    life.nothing_forbidden()
    life.commands([("cancel", 0, 0, 0)])


MAY_WALK = {
    "services.assignment.domain.taking.refuse_who_may_not_walk": _nothing,
    "services.assignment.handlers.arranging.refuse_who_may_not": _nothing_awaited,
}
MISSING = {
    "who may walk": Missing(
        _untrained, MAY_WALK, [f"DROP TRIGGER officer_may_walk_{when} ON walk" for when in ("new", "changed")]
    ),
    "one walk at a time": Missing(
        _two_at_once,
        {"services.assignment.store.booking.refuse_double_booking": _nothing_awaited},
        ["ALTER TABLE booking DROP CONSTRAINT officer_double_booked"],
    ),
    "whom she excludes": Missing(
        lambda life: life.excludes_who_has_her_walk(who=0, walk=0, number=1),
        {"services.assignment.domain.walks.Walk.excludes_officer": lambda *_: False},
    ),
    "what was disclosed comes first": Missing(
        lambda life: life.something_is_disclosed(who=0, walk=0, number=0),
        {"services.assignment.domain.record.refuse_closing": _nothing},
        ["DROP TRIGGER walk_closed_with_disclosure ON walk"],
    ),
    "what is over stays over": Missing(
        _cancelled_when_over, {"services.assignment.domain.arranging.refuse_ended": _nothing}
    ),
}


def _live(place: Place, rule: str) -> Explored:
    """What the rule is there for comes about, or is refused."""
    explored = Explored()
    life = LifeOfAWalk(place, explored)
    life.begin()
    life.nothing_forbidden()
    MISSING[rule].happens(life)
    life.nothing_forbidden()
    return explored


@pytest.mark.parametrize("rule", MISSING)
def test_a_rule_that_is_missing_is_found(place: Place, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would come about without one of the rules is seen for what it is; with the rule it does not come about."""
    _live(place, rule)
    for name, instead in MISSING[rule].functions.items():
        monkeypatch.setattr(name, instead)
    for statement in MISSING[rule].statements:
        place.run(place.admin.execute(statement))
    with pytest.raises(Forbidden):
        _live(place, rule)


@pytest.mark.parametrize("rule", [rule for rule, missing in MISSING.items() if missing.statements])
def test_the_table_is_the_last_door(place: Place, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a rule is missing in the program alone, the database refuses it, and whoever asked is told so."""
    for name, instead in MISSING[rule].functions.items():
        monkeypatch.setattr(name, instead)
    refused = _live(place, rule).refused
    assert refused.keys() & {"MayNotWalk", "OfficerDoubleBooked", "DisclosureOpen"}
