"""The model can fail: each of a list of mistakes in the protocol is caught."""

from __future__ import annotations

import pytest

from tests.model.exploring import every_meeting, every_place
from tests.model.house import House
from tests.model.mutants import MUTANTS, Mutant
from tests.model.process import Fault
from tests.model.scenarios import ENCOUNTERS, SCENARIOS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.mistake)
def test_every_mutant_is_caught(house: House, mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the mistake in, a run of the scenario that shows it breaks an invariant."""
    mutant.patch(monkeypatch)
    for scenario in SCENARIOS:
        if scenario.name == mutant.shown_by:
            tally = house.run(every_place(house, scenario, Fault.DIES, first_only=True))
            break
    else:
        encounter = next(one for one in ENCOUNTERS if one.name == mutant.shown_by)
        tally = house.run(every_meeting(house, encounter, first_only=True))
    print(f"{mutant.mistake}: caught after {tally.runs} runs: {tally.broken}")  # noqa: T201  # pytest -rP shows it
    assert tally.broken, "nobody noticed"
