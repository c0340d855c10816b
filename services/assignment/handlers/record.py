"""Walks that were held are recorded with their concerns by systems that ask for it in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import record
from services.assignment.domain.people import Person
from services.assignment.domain.record import RecordedConcern
from services.assignment.domain.walks import Walk
from services.assignment.handlers.walks import Policies, new_id, own, save, walks_commanded
from services.assignment.store import concerns as concern_rows
from services.assignment.store.disclosures import stands_of_walks
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
    disclosed: bool | None = None
    """Whether an alleged crime or intelligence came up; None where the officer was not asked."""


async def complete(tx: Transaction, commands: Sequence[Complete], now: datetime, *, policies: Policies) -> list[Walk]:
    """Record walks that were held with their concerns; each concern is told, and the walk with their ids."""
    walks = await walks_commanded(tx, commands)
    disclosures = await stands_of_walks(tx, [(walk.force_id, walk.id) for walk in walks.values()])
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
            disclosures=disclosures.get(command.walk_id, ()),
            disclosed=command.disclosed,
        )
        for command in commands
    ]
    saved = await save(tx, commands, decided, "recorded", now)
    await concern_rows.save_concerns(tx, [concern for each in decided for concern in each.concerns])
    return saved
