"""Twenty kills and cuts under load, with every other kind of fault among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.run import run
from tests.servers.jars import Lacking
from tests.servers.lacking import lacks

SEEDS = (4,)
KILLS = 20


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_is_lost_doubled_or_out_of_order_whatever_is_killed(seed: int, server_folder: Path) -> None:
    """The whole story on three brokers while a schedule of twenty kills and cuts acts; the seed replays it."""
    folder = server_folder / f"faults-{seed}"
    folder.mkdir(mode=0o711)
    try:
        outcome = await run(folder, seed, KILLS, at_once=4)
    except Lacking as lacking:
        lacks(str(lacking))
    breaches = {name: verdict.breaches for name, verdict in outcome.verdicts.items() if verdict.breaches}
    again = f'make faults ARGS="--seed {seed} --kills {KILLS}"; ' + "; ".join(map(str, outcome.steps))
    assert breaches == {}, again
    assert outcome.troubles == [], again
    assert outcome.kills == KILLS
    assert all(verdict.looked_at for verdict in outcome.verdicts.values())
    if outcome.lacking:
        # What could be done here held; the kinds that could not are named.
        lacks("; ".join(outcome.lacking))
