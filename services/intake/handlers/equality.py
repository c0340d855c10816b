"""Her equality answers wait among other women's, and leave one by one, shuffled: nothing says which were hers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from services.intake.domain.answers import BASELINE_BATCH, leaves_on
from services.intake.domain.requests import RequestWalk
from services.intake.handlers.keeping import Keeping
from services.intake.store import equality as equality_rows
from services.intake.store.equality import Waiting
from services.intake.vault import Vault
from shared import timers
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.baseline import EqualityAnswered
from shared.database import Transaction
from shared.timers import Due, Fired
from shared.working_days import day, month

EQUALITY_LEAVES: Final = "equality-leaves"
_WAITING: Final = "waiting equality"
_SIZE: Final = 1024

# Nobody may guess the order in which answers leave from the state of an ordinary generator.
_CHANCE: Final = random.SystemRandom()


async def keep_equality(tx: Transaction, keeping: Keeping, asked: Sequence[RequestWalk], now: datetime) -> None:
    """Let the answers of new requests wait among others, and let them go where those of enough women wait."""
    fresh = [_sealed(keeping.vault, one, now) for one in asked if one.equality]
    if not fresh:
        return
    await equality_rows.add_equality(tx, fresh)
    await timers.set(tx, EQUALITY_LEAVES, [Due(one.force_id, one.id, leaves_on(day(now))) for one in fresh])
    waiting: dict[str, list[Waiting]] = {}
    for one in await equality_rows.waiting_equality(tx, {fresh_one.force_id for fresh_one in fresh}):
        waiting.setdefault(one.force_id, []).append(one)
    for force_id, many in waiting.items():
        if len(many) >= BASELINE_BATCH:
            await _release(tx, keeping, many, now)
            await timers.cancel(tx, EQUALITY_LEAVES, force_id, [one.id for one in many])


async def release_equality(tx: Transaction, fired: Sequence[Fired], now: datetime, *, keeping: Keeping) -> None:
    """After thirty days answers leave even where too few women gave any."""
    await _release(tx, keeping, await equality_rows.waiting_equality_named(tx, [one.subject for one in fired]), now)


def _sealed(vault: Vault, command: RequestWalk, now: datetime) -> Waiting:
    """Padded, because how many questions she answered would tell her from others; with a day for a time."""
    waiting_id = uuid4()
    content = {"month": month(now), "answers": dict(command.equality)}
    sealed = vault.seal(_WAITING, content, str(waiting_id), size=_SIZE)
    return Waiting(command.force_id, waiting_id, sealed, day(now))


async def _release(tx: Transaction, keeping: Keeping, waiting: Sequence[Waiting], now: datetime) -> None:
    if not waiting:
        return
    facts = []
    for one in waiting:
        content = keeping.vault.open(_WAITING, one.sealed, str(one.id))
        for question, answer in content["answers"].items():
            answered = EqualityAnswered(answer_id=uuid4(), month=content["month"], question=question, answer=answer)
            facts.append(Fact(answered, one.force_id, now))
    _CHANCE.shuffle(facts)
    await equality_rows.remove_equality(tx, [one.id for one in waiting])
    await outbox.append(tx, facts)
