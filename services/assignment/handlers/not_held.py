"""Arranged walks that were not held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import not_held as deciding
from services.assignment.domain.people import Person
from services.assignment.domain.walks import Walk
from services.assignment.handlers.passing import watch
from services.assignment.handlers.walks import Policies, own, save, walks_commanded
from shared.contracts.walks import WhatNext, WhyNotHeld
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class NotHeld:
    """The walk did not take place: why, and what becomes of it."""

    walk_id: UUID
    by: Person
    why: WhyNotHeld
    what_next: WhatNext


async def not_held(tx: Transaction, commands: Sequence[NotHeld], now: datetime, *, policies: Policies) -> list[Walk]:
    """Note walks that did not take place; what they wait for next is told with it."""
    # Timers first, as when they fire: the other way round the two could wait for each other.
    back = [(each.by.force_id, each.walk_id) for each in commands if each.what_next is WhatNext.QUEUE]
    await watch(tx, back, now, policies=policies)
    walks = await walks_commanded(tx, commands)
    decided = [
        deciding.not_held(own(walks[command.walk_id], command.by), command.why, command.what_next, now)
        for command in commands
    ]
    saved: list[Walk] = []
    for command, changed in zip(commands, decided, strict=True):
        saved += await save(tx, [command], [changed], f"not held: {command.why}, {command.what_next}", now)
    return saved
