"""Officers say that they are back, or well and still out; coordinators see of whom nobody has heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import check_ins
from services.assignment.domain.people import Person
from services.assignment.domain.walks import Walk
from services.assignment.handlers.walks import Policies, save, walks_commanded
from services.assignment.store import check_ins as check_in_rows
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class CheckIn:
    """The officers of the walk are back, or still out and well."""

    walk_id: UUID
    by: Person
    is_back: bool


async def check_in(tx: Transaction, commands: Sequence[CheckIn], now: datetime, *, policies: Policies) -> list[Walk]:
    """Note that officers are well."""
    walks = await walks_commanded(tx, commands)
    decided = [
        check_ins.check_in(
            walks[command.walk_id], command.by, command.is_back, policies[command.by.force_id].walks, now
        )
        for command in commands
    ]
    saved: list[Walk] = []
    for command, changed in zip(commands, decided, strict=True):
        word = "checked in: back" if command.is_back else "checked in: still out"
        saved += await save(tx, [command], [changed], word, now)
    return saved


async def missed(tx: Transaction, by: Person, now: datetime, page: int) -> tuple[list[Walk], bool]:
    """A page (from 1) of the walks whose officers have not said in time that they are back, the longest first.

    An officer's own, a coordinator's force; whether more follow.
    """
    return await check_in_rows.missed(tx, by.force_id, None if by.is_coordinator else by.id, by.id, now, page)
