"""Patrols are logged, set right or taken back within a day, and wanted where concerns ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import patrols as patrolling
from services.assignment.domain.areas import Area
from services.assignment.domain.patrols import Logged, Patrol, Wanted
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import ConcernsUnknown, PatrolNotFound
from services.assignment.handlers.areas import Locate
from services.assignment.handlers.walks import Policies, new_id
from services.assignment.store import areas as area_rows
from services.assignment.store import patrols as patrol_rows
from shared import audit
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.policy import ForcePolicy
from shared.contracts.walks import PatrolEvent
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class LogPatrol:
    """A patrol that was made; `area_id` None where its places say which area it was. `replaces` one logged wrongly."""

    by: Person
    area_id: str | None
    said: Logged
    replaces: UUID | None = None


async def log_patrol(
    tx: Transaction, command: LogPatrol, now: datetime, *, policies: Policies, locate: Locate
) -> Patrol:
    """Keep a patrol and tell of it; where it sets another right, that one is taken back in the same breath.

    :raises PatrolNotFound: what it sets right is not there for whoever asks.
    """
    by = command.by
    before: list[tuple[Patrol, PatrolEvent]] = []
    known: set[UUID] = set()
    if command.replaces is not None:
        found = await _theirs(tx, command.replaces, by)
        before = [patrolling.withdraw(found, by, now)]
        known = set(found.said.concern_ids)
    if unknown := set(command.said.concern_ids) - known:
        wanted, _ = await list_wanted(tx, by, 1, policy=policies[by.force_id])
        if unknown - {each.concern_id for each in wanted}:
            raise ConcernsUnknown
    area = await _area(tx, command, locate)
    made = patrolling.log(new_id(), area, command.said, by, now, command.replaces)
    done: list[tuple[Patrol, PatrolEvent]] = [*before, made]
    await patrol_rows.save_patrols(tx, [patrol for patrol, _ in done])
    await outbox.append(tx, [Fact(event, by.force_id, now) for _, event in done])
    why = "set right by another" if before else "logged"
    await _log(tx, [patrol for patrol, _ in done], by, why, now)
    return made[0]


async def _area(tx: Transaction, command: LogPatrol, locate: Locate) -> Area | None:
    area_id = command.area_id
    if area_id is None and command.said.places:
        [located] = locate(command.by.force_id, [command.said.places[:1]])
        area_id = located.area_id if located else None
    areas = await area_rows.areas_in_force(tx, command.by.force_id)
    return next((area for area in areas if area.id == area_id), None)


async def withdraw_patrol(tx: Transaction, patrol_id: UUID, by: Person, now: datetime) -> Patrol:
    """Take back what was logged wrongly, and tell it.

    :raises PatrolNotFound: there is none, or it is not for whoever asks.
    """
    withdrawn, event = patrolling.withdraw(await _theirs(tx, patrol_id, by), by, now)
    await patrol_rows.save_patrols(tx, [withdrawn])
    await outbox.append(tx, [Fact(event, by.force_id, now)])
    await _log(tx, [withdrawn], by, "taken back", now)
    return withdrawn


async def _theirs(tx: Transaction, patrol_id: UUID, by: Person) -> Patrol:
    found = await patrol_rows.lock_patrol(tx, (by.force_id, patrol_id))
    if found is None or not found.may_be_seen_by(by):
        raise PatrolNotFound
    return found


async def _log(tx: Transaction, changed: Sequence[Patrol], by: Person, why: str, now: datetime) -> None:
    await audit.record(
        tx, [audit.Entry(each.force_id, by.id, "altered", f"patrol {each.id}", why) for each in changed], now
    )


async def say_enough(tx: Transaction, concern_id: UUID, by: Person, now: datetime, *, policies: Policies) -> None:
    """There were enough patrols because of this concern.

    :raises PatrolNotFound: none is wanted there, as far as whoever asks may know.
    """
    wanted, _ = await list_wanted(tx, by, 1, policy=policies[by.force_id])
    if concern_id not in {each.concern_id for each in wanted}:
        raise PatrolNotFound
    await patrol_rows.say_enough(tx, (by.force_id, concern_id), by.id, now)
    entry = audit.Entry(by.force_id, by.id, "altered", f"concern {concern_id}", "no more patrols are wanted")
    await audit.record(tx, [entry], now)


async def look_at_patrol(tx: Transaction, patrol_id: UUID, by: Person, now: datetime) -> Patrol:
    """One with what was heard; the look is logged.

    :raises PatrolNotFound: there is none, or it is not for whoever asks.
    """
    found = await patrol_rows.patrol(tx, (by.force_id, patrol_id))
    if found is None or not found.may_be_seen_by(by):
        raise PatrolNotFound
    entry = audit.Entry(by.force_id, by.id, "consulted", f"patrol {patrol_id}", "opened the patrol")
    await audit.record(tx, [entry], now)
    return found


async def list_patrols(tx: Transaction, by: Person, team_id: str | None, page: int) -> tuple[list[Patrol], bool]:
    """A page (from 1) of what was logged, the latest first; whether more follow."""
    return await patrol_rows.patrols(tx, by.force_id, _teams(by, team_id), page)


async def list_wanted(
    tx: Transaction, by: Person, page: int, *, policy: ForcePolicy, team_id: str | None = None
) -> tuple[list[Wanted], bool]:
    """A page (from 1) of the concerns for which a patrol is wanted, where somebody was least first; whether more
    follow."""
    team = None if by.is_coordinator else by.team_id
    return await patrol_rows.wanted(tx, by.force_id, _teams(by, team_id), own_patrols(policy), (by.id, team), page)


def own_patrols(policy: ForcePolicy) -> Iterable[str]:
    """The force's own patrols among its partners."""
    return [partner.partner_id for partner in policy.partners if partner.kind == "police"]


def _teams(by: Person, team_id: str | None) -> Sequence[str] | None:
    if by.is_coordinator:
        return None if team_id is None else [team_id]
    return sorted(by.team_ids if team_id is None else by.team_ids & {team_id})


async def empty_heard(tx: Transaction, force_id: str, ids: Sequence[UUID], before: datetime, now: datetime) -> None:
    """What was heard on these patrols goes; that there were patrols stays."""
    await patrol_rows.empty_heard(tx, force_id, ids)
