"""How people want to be told, and what they are still to be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.assignment.domain.telling import Choice, News, Notice, Rhythm
from services.assignment.store import QUERIES
from services.assignment.store.rows import uuid_of
from shared.database import Row, Transaction


async def save_choice(tx: Transaction, chosen: Choice) -> None:
    """Keep how somebody wants to be told."""
    await tx.run(
        QUERIES.save_choice,
        chosen.force_id,
        chosen.person_id,
        chosen.email,
        chosen.rhythm.value,
        chosen.quiet_from,
        chosen.quiet_to,
        chosen.new_work,
        chosen.is_coordinator,
    )


async def choices(tx: Transaction, forces: Iterable[str]) -> list[Choice]:
    """How the people of these forces want to be told; who wants nothing is left out."""
    return [_choice(row) for row in await tx.fetch(QUERIES.choices_of_forces, sorted(set(forces)))]


async def choice_of(tx: Transaction, force_id: str, person_id: str) -> Choice | None:
    """How one person wants to be told; None where they never said."""
    row = await tx.fetch_row(QUERIES.choice_of_person, force_id, person_id)
    return _choice(row) if row else None


def _choice(row: Row) -> Choice:
    return Choice(
        row["force_id"],
        row["person_id"],
        row["email"],
        Rhythm(row["rhythm"]),
        row["quiet_from"],
        row["quiet_to"],
        row["new_work"],
        row["is_coordinator"],
    )


async def save_notices(tx: Transaction, notices: Sequence[Notice]) -> None:
    """Keep what people are to be told."""
    await tx.run(
        QUERIES.save_notices,
        [each.force_id for each in notices],
        [each.id for each in notices],
        [each.person_id for each in notices],
        [each.walk_id for each in notices],
        [each.news.value for each in notices],
        [each.due_at for each in notices],
    )


async def take_notices(tx: Transaction, force_id: str, notice_id: UUID, now: datetime) -> list[Notice]:
    """What the person of this notice is to be told by now, the oldest first; nothing where another message tells it."""
    found = [
        Notice(
            row["force_id"],
            uuid_of(row["id"]),
            row["person_id"],
            uuid_of(row["walk_id"]),
            News(row["news"]),
            row["due_at"],
        )
        for row in await tx.fetch(QUERIES.take_notices, force_id, notice_id, now)
    ]
    return sorted(found, key=lambda each: (each.due_at, each.id))


async def forget(tx: Transaction, force_id: str, ids: Sequence[UUID]) -> None:
    """What was told."""
    await tx.run(QUERIES.forget_notices, force_id, list(ids))
