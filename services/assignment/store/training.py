"""Training sessions and who was there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from services.assignment.domain.training import TrainingSession, TrainingWay
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE, uuid_of
from shared.contracts.kinds import TrainingTopic
from shared.database import Row, Transaction


async def save_session(tx: Transaction, session: TrainingSession) -> None:
    """Write a session as it now is."""
    await tx.run(
        QUERIES.save_session,
        session.force_id,
        session.id,
        session.held_on,
        session.way.value,
        session.name,
        sorted(session.covers),
    )


async def sessions(tx: Transaction, force_id: str, page: int) -> tuple[list[tuple[TrainingSession, int]], bool]:
    """A page (from 1) of a force's sessions, the last first, with how many were there; whether more follow."""
    rows = await tx.fetch(QUERIES.sessions, force_id, PAGE + 1, (page - 1) * PAGE)
    return [(_session(row), row["attended"]) for row in rows[:PAGE]], len(rows) > PAGE


async def session(tx: Transaction, force_id: str, session_id: UUID) -> TrainingSession | None:
    """One session, None where the force has no such."""
    row = await tx.fetch_row(QUERIES.session_by_id, force_id, session_id)
    return _session(row) if row else None


async def attendance(tx: Transaction, force_id: str, session_id: UUID) -> frozenset[str]:
    """Who was at a session."""
    return frozenset(row["officer_id"] for row in await tx.fetch(QUERIES.attendance, force_id, session_id))


async def change_attendance(
    tx: Transaction, force_id: str, session_id: UUID, came: Iterable[str], stayed_away: Iterable[str]
) -> None:
    """Add those who came, and take away those who were not there after all."""
    await tx.run(QUERIES.add_attendance, force_id, session_id, sorted(came))
    await tx.run(QUERIES.remove_attendance, force_id, session_id, sorted(stayed_away))


async def sessions_of_officers(
    tx: Transaction, force_id: str, officer_ids: Sequence[str]
) -> dict[str, list[TrainingSession]]:
    """What each of these officers attended, the last first; who attended nothing is left out."""
    found: defaultdict[str, list[TrainingSession]] = defaultdict(list)
    for row in await tx.fetch(QUERIES.sessions_of_officers, force_id, list(officer_ids)):
        found[row["officer_id"]].append(_session(row))
    return dict(found)


def _session(row: Row) -> TrainingSession:
    return TrainingSession(
        force_id=row["force_id"],
        id=uuid_of(row["id"]),
        held_on=row["held_on"],
        way=TrainingWay(row["way"]),
        name=row["name"],
        covers=frozenset(map(TrainingTopic, row["covers"])),
    )
