"""A process may die, or be cut off, at every await of every written scenario; and two may meet in any order."""

from __future__ import annotations

import pytest

from tests.model.exploring import every_meeting, every_place
from tests.model.house import House
from tests.model.process import Fault
from tests.model.scenarios import ENCOUNTERS, SCENARIOS, Encounter, Scenario


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.value)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_fault_at_every_place_changes_nothing(house: House, scenario: Scenario, fault: Fault, deep: bool) -> None:
    """Wherever it dies or loses its connection, a new process finishes the work, and every invariant holds."""
    # The suite takes a third of the places to die at and another third to be cut off at; the deep run takes all.
    begin = 0 if deep or fault is Fault.DIES else 1
    tally = house.run(every_place(house, scenario, fault, one_in=1 if deep else 3, begin=begin))
    print(f"{scenario.name}: {fault.value} at {tally.runs} of {tally.places} places, every invariant held")  # noqa: T201  # pytest -rP shows it
    assert tally.broken == []
    assert tally.runs


@pytest.mark.parametrize("encounter", ENCOUNTERS, ids=lambda encounter: encounter.name)
def test_two_meet_at_every_place(house: House, encounter: Encounter, deep: bool) -> None:
    """One stops at each of its places, the other goes as far as it can, then the first goes on or dies."""
    tally = house.run(every_meeting(house, encounter, one_in=1 if deep else 12))
    print(f"{encounter.name}: {tally.runs} orders over {tally.places} places, every invariant held")  # noqa: T201  # pytest -rP shows it
    assert tally.broken == []
    assert tally.runs
