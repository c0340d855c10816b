"""Training sessions: recorded, attended, and who still needs one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.assignment.domain.people import Officer, Person
from services.assignment.domain.refusals import OfficerNotFound, SessionNotFound
from services.assignment.domain.training import TrainingSession, refuse_not_held
from services.assignment.domain.walks import Walk
from services.assignment.handlers.people import hold, settle
from services.assignment.handlers.walks import Policies
from services.assignment.store import officers as officer_rows
from services.assignment.store import training as training_rows
from shared import audit
from shared.database import Transaction
from shared.working_days import day


async def record_session(tx: Transaction, by: Person, session: TrainingSession, now: datetime) -> None:
    """A training session that was held or is planned."""
    await training_rows.save_session(tx, session)
    await _log(tx, by, session.id, f"recorded the session of {session.held_on}", now)


async def tick(
    tx: Transaction,
    by: Person,
    session_id: UUID,
    came: Iterable[str],
    stayed_away: Iterable[str],
    now: datetime,
    *,
    policies: Policies,
) -> Sequence[Walk]:
    """Who was at a session and who was not; the walks that went back to the queue, for who is not trained after all.

    :raises SessionNotFound, SessionNotHeld, OfficerNotFound:
    """
    session = await _session(tx, by, session_id)
    before = await training_rows.attendance(tx, by.force_id, session_id)
    added, removed = set(came) - before, set(stayed_away) & before
    if not added and not removed:
        return []
    if added:
        refuse_not_held(session, day(now))
    ids = sorted(added | removed)
    await hold(tx, by.force_id, ids)
    if len(await officer_rows.officers_by_id(tx, [(by.force_id, id_) for id_ in ids])) < len(ids):
        raise OfficerNotFound
    await training_rows.change_attendance(tx, by.force_id, session_id, added, removed)
    await audit.record(
        tx,
        [
            audit.Entry(by.force_id, by.id, "altered", f"officer {id_}", f"{what} session {session_id}")
            for what, group in (("ticked at", added), ("not at", removed))
            for id_ in sorted(group)
        ],
        now,
    )
    return await settle(tx, by.force_id, ids, policies[by.force_id], by.id, now)


@dataclass(frozen=True, slots=True)
class Session:
    """A session with a page of the register, and who of it was there."""

    session: TrainingSession
    officers: Sequence[Officer]
    attended: frozenset[str]
    more: bool


async def look_at_session(tx: Transaction, by: Person, session_id: UUID, text: str, page: int) -> Session:
    """A session and a page (from 1) of the register to tick.

    :raises SessionNotFound:
    """
    session = await _session(tx, by, session_id)
    officers, more = await officer_rows.officers_found(tx, by.force_id, text, None, page, and_those_off=False)
    return Session(session, officers, await training_rows.attendance(tx, by.force_id, session_id), more)


async def list_sessions(tx: Transaction, by: Person, page: int) -> tuple[list[tuple[TrainingSession, int]], bool]:
    """A page (from 1) of sessions, the last first, with how many were there."""
    return await training_rows.sessions(tx, by.force_id, page)


async def to_train(
    tx: Transaction, by: Person, page: int, now: datetime, *, policies: Policies
) -> tuple[list[Officer], bool]:
    """A page (from 1) of officers who are not trained, whose training has expired or soon will."""
    soon = day(now) + timedelta(days=policies[by.force_id].training.tell_days_before)
    return await officer_rows.officers_to_train(tx, by.force_id, soon, page)


async def _session(tx: Transaction, by: Person, session_id: UUID) -> TrainingSession:
    found = await training_rows.session(tx, by.force_id, session_id)
    if found is None:
        raise SessionNotFound
    return found


async def _log(tx: Transaction, by: Person, session_id: UUID, what: str, now: datetime) -> None:
    await audit.record(tx, [audit.Entry(by.force_id, by.id, "altered", f"training session {session_id}", what)], now)
