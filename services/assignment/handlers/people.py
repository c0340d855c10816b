"""Who asks, and a force's register of officers."""

from __future__ import annotations

from collections.abc import Sequence

from services.assignment.domain.people import Officer, Person
from services.assignment.store import officers as officer_rows
from shared.database import Transaction


async def person(tx: Transaction, force_id: str, user_id: str, *, is_coordinator: bool, team_id: str | None) -> Person:
    """Who asks, with what the register says of them."""
    found = await officer_rows.officers_by_id(tx, [(force_id, user_id)])
    officer = found.get((force_id, user_id))
    if officer is not None:
        return Person(force_id, user_id, is_coordinator, officer.team_id, officer.team_ids, officer)
    return Person(force_id, user_id, is_coordinator, team_id, frozenset({team_id} if team_id else ()), None)


async def enrol_officers(tx: Transaction, force_id: str, officers: Sequence[Officer]) -> None:
    """Take these officers as the register of a force."""
    await officer_rows.enrol_officers(tx, force_id, officers)
