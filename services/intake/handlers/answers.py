"""Her answers before the walk wait among others, and leave shuffled."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from services.intake.domain.answers import BASELINE_BATCH, leaves_on
from services.intake.domain.requests import RequestWalk
from services.intake.handlers.keeping import Keeping
from services.intake.store import answers as answer_rows
from services.intake.store.answers import Baseline
from services.intake.vault import Vault
from shared import timers
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.baseline import BaselineAnswered
from shared.contracts.surveys import BASELINE
from shared.database import Transaction
from shared.timers import Due, Fired
from shared.working_days import day, month

BASELINE_LEAVES: Final = "baseline-leaves"
_BASELINE: Final = "waiting baseline"
_BASELINE_SIZE: Final = 1024

# Nobody may guess the order in which answers leave from the state of an ordinary generator.
_CHANCE: Final = random.SystemRandom()


def sealed_baseline(vault: Vault, command: RequestWalk, pair_id: UUID, now: datetime) -> Baseline:
    """Padded, because how many questions she answered would tell her from others; with a day for a time."""
    waiting_id = uuid4()
    content = {"pair": pair_id.hex, "month": month(now), "answers": dict(command.baseline)}
    sealed = vault.seal(_BASELINE, content, str(waiting_id), size=_BASELINE_SIZE)
    return Baseline(command.force_id, waiting_id, sealed, day(now))


async def keep_baselines(tx: Transaction, keeping: Keeping, baselines: Sequence[Baseline], now: datetime) -> None:
    """Let answers wait among others, and let them go where enough wait."""
    if not baselines:
        return
    await answer_rows.add_baselines(tx, baselines)
    leaves = leaves_on(day(now))
    await timers.set(tx, BASELINE_LEAVES, [Due(one.force_id, one.id, leaves) for one in baselines])
    waiting: dict[str, list[Baseline]] = {}
    for one in await answer_rows.waiting_baselines(tx, {baseline.force_id for baseline in baselines}):
        waiting.setdefault(one.force_id, []).append(one)
    enough = [one for many in waiting.values() if len(many) >= BASELINE_BATCH for one in many]
    await _release(tx, keeping, enough, now)
    for force_id in {one.force_id for one in enough}:
        await timers.cancel(tx, BASELINE_LEAVES, force_id, [one.id for one in enough if one.force_id == force_id])


async def release_baselines(tx: Transaction, fired: Sequence[Fired], now: datetime, *, keeping: Keeping) -> None:
    """After thirty days answers leave even where too few came to hide among; those of one day leave together."""
    await _release(tx, keeping, await answer_rows.waiting_baselines_named(tx, [one.subject for one in fired]), now)


async def waiting_of(tx: Transaction, keeping: Keeping, force_id: str, pairs: Collection[UUID]) -> list[dict[str, Any]]:
    """Answers of these pair ids that still wait, for a copy she asked for. Their pair id is left out."""
    found = []
    for one in await answer_rows.waiting_baselines(tx, [force_id]):
        content = keeping.vault.open(_BASELINE, one.sealed, str(one.id))
        if UUID(content.pop("pair")) in pairs:
            found.append({"sealed": content, "answered_on": one.answered_on})
    return found


async def forget_waiting(tx: Transaction, keeping: Keeping, pairs: Collection[tuple[str, UUID]]) -> None:
    """Answers of these (force, pair id) that still wait never leave. Each that waits is opened to find them."""
    forces = {force_id for force_id, _ in pairs}
    hers = [
        one
        for one in await answer_rows.waiting_baselines(tx, forces)
        if (one.force_id, UUID(keeping.vault.open(_BASELINE, one.sealed, str(one.id))["pair"])) in pairs
    ]
    await answer_rows.remove_baselines(tx, [one.id for one in hers])
    for one in hers:
        await timers.cancel(tx, BASELINE_LEAVES, one.force_id, [one.id])


async def _release(tx: Transaction, keeping: Keeping, waiting: Sequence[Baseline], now: datetime) -> None:
    if not waiting:
        return
    facts = []
    for one in waiting:
        content = keeping.vault.open(_BASELINE, one.sealed, str(one.id))
        answered = BaselineAnswered(
            pair_id=UUID(content["pair"]),
            month=content["month"],
            answers=content["answers"],
            survey_version=BASELINE.version,
        )
        facts.append(Fact(answered, one.force_id, now))
    _CHANCE.shuffle(facts)
    await answer_rows.remove_baselines(tx, [one.id for one in waiting])
    await outbox.append(tx, facts)
    keeping.metrics.baselines(len(facts))
