"""Walks that were held are recorded, after a look at what partners will see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import record
from services.assignment.domain.people import Person
from services.assignment.domain.record import Completed, RecordedConcern
from services.assignment.domain.walks import Walk
from services.assignment.handlers.looking import walk_in_hand
from services.assignment.handlers.walks import Policies, new_id, own, save, walks_commanded
from services.assignment.store import concerns as concern_rows
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Complete:
    """The walk was held, from when to when (UTC), and what was raised on it."""

    walk_id: UUID
    by: Person
    started_at: datetime
    ended_at: datetime
    streetsafe_shown: bool
    concerns: Sequence[RecordedConcern]


async def complete(tx: Transaction, commands: Sequence[Complete], now: datetime, *, policies: Policies) -> list[Walk]:
    """Record walks that were held with their concerns; each concern is told, and the walk with their ids."""
    walks = await walks_commanded(tx, commands)
    decided = [
        record.complete(
            own(walks[command.walk_id], command.by),
            command.started_at,
            command.ended_at,
            command.streetsafe_shown,
            command.concerns,
            [new_id() for _ in command.concerns],
            policies[command.by.force_id].walks,
            now,
        )
        for command in commands
    ]
    saved = await save(tx, commands, decided, "recorded", now)
    await concern_rows.save_concerns(tx, [concern for each in decided for concern in each.concerns])
    return saved


async def preview(tx: Transaction, command: Complete, now: datetime, *, policies: Policies) -> Completed:
    """What recording this walk would make of it, so that the officer sees what partners will see. Writes nothing."""
    walk = await walk_in_hand(tx, command.walk_id, command.by)
    return record.complete(
        walk,
        command.started_at,
        command.ended_at,
        command.streetsafe_shown,
        command.concerns,
        [new_id() for _ in command.concerns],
        policies[command.by.force_id].walks,
        now,
    )
