"""Who asks; who may walk when; and a force's register as its file has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.assignment.domain.people import Officer, Person, may_walk_then, what_stops
from services.assignment.domain.refusals import OfficerAway, OfficerOff, SwitchedOff
from services.assignment.domain.second import leave
from services.assignment.domain.taking import give_back
from services.assignment.domain.training import trained
from services.assignment.domain.walks import Walk
from services.assignment.handlers.telling import tell_of
from services.assignment.handlers.walks import Policies, facts
from services.assignment.store import officers as officer_rows
from services.assignment.store import training as training_rows
from services.assignment.store import walks as walk_rows
from shared import audit
from shared.bus import outbox
from shared.contracts.policy import ForcePolicy
from shared.database import Transaction
from shared.working_days import day

ABSENCES_KEPT: Final = timedelta(days=90)
"""After they are over; looked at whenever the service starts."""


async def person(
    tx: Transaction,
    force_id: str,
    user_id: str,
    *,
    is_coordinator: bool,
    team_id: str | None,
    is_auditor: bool = False,
) -> Person:
    """Who asks, with what the register says of them.

    :raises SwitchedOff: on the register or at the identity provider, whatever the session still says.
    """
    if await officer_rows.is_switched_off(tx, force_id, user_id):
        raise SwitchedOff
    found = await officer_rows.officers_by_id(tx, [(force_id, user_id)])
    officer = found.get((force_id, user_id))
    if officer is not None:
        return Person(force_id, user_id, is_coordinator, officer.team_id, officer.team_ids, officer, is_auditor)
    teams = frozenset({team_id} if team_id else ())
    return Person(force_id, user_id, is_coordinator, team_id, teams, None, is_auditor)


async def who_may_not(tx: Transaction, walks: Sequence[Walk], policies: Policies, now: datetime) -> set[UUID]:
    """Which of these walks, each with the time it is to start, their officers may not hold then."""
    officers = await _officers_of(tx, walks)
    return {
        walk.id
        for walk in walks
        if walk.officer_id is None
        or not all(
            may_walk_then(officers.get((walk.force_id, id_)), policies[walk.force_id].walks, now, walk.starts_at)
            for id_ in walk.officer_ids
        )
    }


async def _officers_of(tx: Transaction, walks: Sequence[Walk]) -> dict[tuple[str, str], Officer]:
    return await officer_rows.officers_by_id(tx, [(walk.force_id, id_) for walk in walks for id_ in walk.officer_ids])


async def refuse_who_may_not(tx: Transaction, walks: Sequence[Walk], policies: Policies, now: datetime) -> None:
    """Look that the officers of these walks may hold them at the time they are to start.

    :raises MayNotWalk: one may not, and why.
    """
    officers = await _officers_of(tx, walks)
    for walk, officer in ((one, officers.get((one.force_id, id_))) for one in walks for id_ in one.officer_ids):
        if officer is None:
            raise OfficerOff
        then = day(walk.starts_at) if walk.starts_at else None
        for reason in what_stops(officer, policies[walk.force_id].walks, day(now), then):
            raise reason


async def enrol_officers(
    tx: Transaction, force_id: str, officers: Sequence[Officer], policy: ForcePolicy, now: datetime
) -> None:
    """Take what the force's file says of officers, and see what the policy of now makes of the whole register."""
    everybody = [officer.id for officer in await officer_rows.officers(tx, force_id)]
    await hold(tx, force_id, everybody)
    await officer_rows.enrol_officers(tx, force_id, officers)
    await officer_rows.forget_absences(tx, force_id, day(now) - ABSENCES_KEPT)
    await settle(tx, force_id, sorted({*everybody, *(officer.id for officer in officers)}), policy, "the register", now)


async def hold(tx: Transaction, force_id: str, officer_ids: Sequence[str]) -> None:
    """Lock what these officers have in hand and their entries, before an entry is changed.

    In this order, as whoever arranges a walk does: the other way round the two could wait for each other.
    """
    await officer_rows.open_walks(tx, force_id, officer_ids)
    await officer_rows.lock_officers(tx, [(force_id, officer_id) for officer_id in officer_ids])


async def settle(
    tx: Transaction, force_id: str, officer_ids: Sequence[str], policy: ForcePolicy, by: str, now: datetime
) -> list[Walk]:
    """After a change: work out who is trained and allowed, and give back the walks of who may walk no longer.

    The entries are locked (hold()). Which walks went back.
    """
    keys = [(force_id, officer_id) for officer_id in officer_ids]
    attended = await training_rows.sessions_of_officers(tx, force_id, officer_ids)
    officers = await officer_rows.officers_by_id(tx, keys)
    await officer_rows.save_standing(
        tx,
        {
            key: trained(attended.get(officer.id, ()), officer.trained_elsewhere_on, policy.training)
            for key, officer in officers.items()
        },
        {key: officer.kind in policy.walks.officers for key, officer in officers.items()},
    )
    officers = await officer_rows.officers_by_id(tx, keys)
    off = [officer.id for officer in officers.values() if not officer.active]
    if off:
        await officer_rows.release_follow_ups(tx, force_id, off)
    decided = []
    for walk in await officer_rows.open_walks(tx, force_id, officer_ids):
        lost = {
            id_
            for id_ in walk.officer_ids
            if id_ in officer_ids and not _may_keep(officers.get((force_id, id_)), walk, policy, now)
        }
        if walk.officer_id in lost:
            decided.append(give_back(walk))
        elif lost:
            decided.append(leave(walk))
    walks = [each.walk for each in decided]
    await walk_rows.save_walks(tx, walks)
    await audit.record(
        tx,
        [
            audit.Entry(
                force_id,
                by,
                "altered",
                f"walk {walk.id}",
                "went back to the queue: its officer may not walk"
                if walk.officer_id is None
                else "its second officer may not walk",
            )
            for walk in walks
        ],
        now,
    )
    await tell_of(tx, decided, now, by)
    await outbox.append(tx, facts(decided, now))
    return walks


def _may_keep(officer: Officer | None, walk: Walk, policy: ForcePolicy, now: datetime) -> bool:
    """Whether an officer keeps a walk. Days away take nothing from anybody by themselves: the coordinator is shown."""
    if walk.starts_at is not None and walk.starts_at <= now:
        # Held perhaps, and not recorded yet: a coordinator does that.
        return True
    if officer is None:
        return False
    then = day(walk.starts_at) if walk.starts_at else None
    return not [
        reason for reason in what_stops(officer, policy.walks, day(now), then) if not isinstance(reason, OfficerAway)
    ]
