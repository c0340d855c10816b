"""Officers say that they are back, or well and still out; coordinators see of whom nobody has heard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.assignment.domain import check_ins
from services.assignment.domain.people import Person
from services.assignment.domain.telling import News, Told
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers.telling import tell
from services.assignment.handlers.walks import Policies, save, walks_commanded
from services.assignment.store import check_ins as check_in_rows
from services.assignment.store import walks as walk_rows
from shared import audit, timers
from shared.database import Transaction

CHECK_IN_DUE: Final = "check-in-due"


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
    await watch(tx, saved)
    return saved


async def watch(tx: Transaction, walks: Iterable[Walk]) -> None:
    """From the moment on that each of these arranged walks names, its officers are missed unless they are back."""
    await timers.set(
        tx,
        CHECK_IN_DUE,
        [
            timers.Due(walk.force_id, walk.id, walk.check_in_at)
            for walk in walks
            if walk.state is State.ARRANGED and walk.check_in_at is not None
        ],
    )


async def raise_alarm(tx: Transaction, fired: Sequence[timers.Fired], now: datetime) -> None:
    """Tell coordinators of officers of whom nobody has heard. The walks are read without being held: who arranges one
    holds it while setting this very timer."""
    found = await walk_rows.walks(tx, [(one.force_id, one.subject) for one in fired])
    not_back = [walk for walk in found.values() if check_ins.is_missed(walk, now)]
    await tell(tx, [Told(walk, News.NOT_BACK) for walk in not_back], now)
    await audit.record(
        tx,
        [
            audit.Entry(walk.force_id, "assignment", "consulted", f"walk {walk.id}", "nobody has said they are back")
            for walk in not_back
        ],
        now,
    )


async def missed(tx: Transaction, by: Person, now: datetime, page: int) -> tuple[list[Walk], bool]:
    """A page (from 1) of the walks whose officers have not said in time that they are back, the longest first.

    An officer's own, a coordinator's force; whether more follow.
    """
    return await check_in_rows.missed(tx, by.force_id, None if by.is_coordinator else by.id, by.id, now, page)
