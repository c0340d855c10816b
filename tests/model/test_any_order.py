"""Whatever happens in whatever order, events take effect once, in the order of their key, and nothing is lost."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.anything import Anything, Explored
from tests.model.house import House

SHORT = settings(
    max_examples=10,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    # A run that fails is printed as it is; to make it smaller takes minutes, and the deep profile does.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_anything_in_any_order(house: House, deep: bool) -> None:
    """Processes append, relay, consume and sweep, pause, die and are cut off; the broker refuses, repeats, rebalances
    and forgets; clocks step; people retry, discard and deploy: after each step and at the end every invariant holds."""
    explored = Explored()
    profile = settings(settings(), database=None, suppress_health_check=list(HealthCheck)) if deep else SHORT
    run_state_machine_as_test(
        lambda: Anything(house, explored),  # type: ignore[arg-type]  # anything that makes a machine will do
        settings=profile,
    )
    print(  # noqa: T201  # pytest -rP shows it
        f"{explored.runs} runs, {sum(explored.rules.values())} steps, {explored.places} places passed, "
        f"{explored.deaths} deaths, {explored.events} events: every invariant held"
    )
    print(", ".join(f"{name} {many}" for name, many in sorted(explored.rules.items())))  # noqa: T201  # pytest -rP shows it
    assert explored.runs and explored.deaths
