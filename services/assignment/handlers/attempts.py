"""Attempts to reach her are logged, and shown to whoever has the walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import attempts as trying
from services.assignment.domain.attempts import Attempt, Outcome
from services.assignment.domain.people import Person
from services.assignment.domain.walks import Walk
from services.assignment.handlers.looking import walk_in_hand
from services.assignment.handlers.walks import new_id, own, walks_commanded
from services.assignment.store import attempts as attempt_rows
from shared import audit
from shared.contracts.kinds import Channel
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Try:
    """A woman of this walk was tried by one of her ways, just now."""

    walk_id: UUID
    by: Person
    request_id: UUID
    way: Channel
    outcome: Outcome


async def log_attempts(tx: Transaction, commands: Sequence[Try], now: datetime) -> list[Attempt]:
    """Log attempts: who, when, how, and how each ended."""
    walks = await walks_commanded(tx, commands)
    made = [
        trying.attempt(
            own(walks[command.walk_id], command.by),
            new_id(),
            command.request_id,
            command.by.id,
            command.way,
            command.outcome,
            now,
        )
        for command in commands
    ]
    await attempt_rows.keep(tx, made)
    await audit.record(
        tx,
        [
            audit.Entry(each.force_id, each.by_id, "altered", f"request {each.request_id}", f"tried by {each.way}")
            for each in made
        ],
        now,
    )
    return made


async def attempts_of(tx: Transaction, walk: Walk) -> list[Attempt]:
    """The attempts to reach the women of a walk, the latest first."""
    return await attempt_rows.of_walk(tx, (walk.force_id, walk.id))


async def look_at_attempts(tx: Transaction, walk_id: UUID, by: Person, now: datetime) -> tuple[Walk, list[Attempt]]:
    """A walk that this person has in hand and the attempts to reach its women; the look is logged.

    :raises WalkNotFound: there is none, or this person may not know of it.
    :raises NotYourWalk: another officer has it.
    """
    walk = await walk_in_hand(tx, walk_id, by)
    reason = "opened the attempts to reach her"
    await audit.record(tx, [audit.Entry(by.force_id, by.id, "consulted", f"walk {walk_id}", reason)], now)
    return walk, await attempts_of(tx, walk)
