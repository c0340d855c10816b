"""Officers take walks on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import taking
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import NotOnRegister, NotYourWalk
from services.assignment.domain.walks import Walk
from services.assignment.handlers.walks import Policies, save, walks_commanded
from services.assignment.store import officers as officer_rows
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Take:
    """Take a walk on; a coordinator may name the officer, an officer takes it for themselves."""

    walk_id: UUID
    by: Person
    officer_id: str | None = None


async def take(tx: Transaction, commands: Sequence[Take], now: datetime, *, policies: Policies) -> list[Walk]:
    """Let officers take walks on, each walk once: whoever comes second is told so."""
    walks = await walks_commanded(tx, commands)
    officers = await officer_rows.officers_by_id(
        tx, [(command.by.force_id, command.officer_id or command.by.id) for command in commands]
    )
    decided = []
    for command in commands:
        officer_id = command.officer_id or command.by.id
        if officer_id != command.by.id and not command.by.is_coordinator:
            raise NotYourWalk
        officer = officers.get((command.by.force_id, officer_id))
        if officer is None:
            raise NotOnRegister
        decided.append(taking.take(walks[command.walk_id], officer, policies[command.by.force_id].walks, now))
    return await save(tx, commands, decided, "taken", now)
