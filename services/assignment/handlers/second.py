"""Second officers are brought along and leave again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import second
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import NotOnRegister
from services.assignment.domain.telling import News, Told
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers.telling import tell
from services.assignment.handlers.walks import Policies, own, save, walks_commanded
from services.assignment.store import booking
from services.assignment.store import officers as officer_rows
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Bring:
    """Bring this officer along; None: nobody any more."""

    walk_id: UUID
    by: Person
    officer_id: str | None


async def bring(tx: Transaction, commands: Sequence[Bring], now: datetime, *, policies: Policies) -> list[Walk]:
    """Let second officers come along, none of them while on another walk."""
    walks = await walks_commanded(tx, commands)
    officers = await officer_rows.officers_by_id(
        tx, [(command.by.force_id, command.officer_id) for command in commands if command.officer_id is not None]
    )
    decided = []
    for command in commands:
        walk = own(walks[command.walk_id], command.by)
        if command.officer_id is None:
            decided.append(second.leave(walk))
            continue
        officer = officers.get((command.by.force_id, command.officer_id))
        if officer is None:
            raise NotOnRegister
        decided.append(second.bring(walk, officer, policies[command.by.force_id].walks, now))
    await booking.refuse_double_booking(tx, [each.walk for each in decided if each.walk.state is State.ARRANGED])
    saved = await save(tx, commands, decided, "second officer", now)
    brought = [(walk, walk.second_id) for walk in saved if walk.second_id is not None]
    await tell(tx, [Told(walk, News.GIVEN, id_) for walk, id_ in brought], now)
    return saved
