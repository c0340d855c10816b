"""What people look at: the queue, their work, a walk with all that the team may read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain.areas import Area
from services.assignment.domain.follow_ups import FollowUp
from services.assignment.domain.people import Officer, Person
from services.assignment.domain.record import Concern
from services.assignment.domain.referrals import Referral
from services.assignment.domain.refusals import WalkNotFound
from services.assignment.domain.routing import Routing
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers.walks import own
from services.assignment.store import areas as area_rows
from services.assignment.store import concerns as concern_rows
from services.assignment.store import counts as counting
from services.assignment.store import disclosures as disclosure_rows
from services.assignment.store import follow_ups as follow_up_rows
from services.assignment.store import officers as officer_rows
from services.assignment.store import referrals as referral_rows
from services.assignment.store import routings as routing_rows
from services.assignment.store import walks as walk_rows
from shared import audit
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class WalkRecord:
    """A walk with all that the team may read of it."""

    walk: Walk
    concerns: Sequence[Concern]
    referrals: Sequence[Referral]
    follow_ups: Sequence[FollowUp]
    routings: Sequence[Routing]
    """Why it went where it went, the last time first; for coordinators."""


async def look_at_walk(tx: Transaction, walk_id: UUID, by: Person, now: datetime) -> WalkRecord:
    """A walk, its concerns, what partners said, its follow-ups; the look is logged.

    :raises WalkNotFound: there is none, or this person may not know of it.
    """
    key = (by.force_id, walk_id)
    walk = (await walk_rows.walks(tx, [key])).get(walk_id)
    if walk is None or not by.may_see(walk):
        raise WalkNotFound
    await audit.record(tx, [audit.Entry(by.force_id, by.id, "consulted", f"walk {walk_id}", "opened the walk")], now)
    follow_ups = await follow_up_rows.follow_ups_of_walk(tx, key)
    return WalkRecord(
        walk,
        await concern_rows.concerns_of_walk(tx, key),
        await referral_rows.referrals_of_walk(tx, key),
        [each for each in follow_ups if by.is_coordinator or each.officer_id == by.id],
        await routing_rows.routings_of_walk(tx, key) if by.is_coordinator else (),
    )


async def walk_in_hand(tx: Transaction, walk_id: UUID, by: Person) -> Walk:
    """A walk that this person may do something with.

    :raises WalkNotFound: there is none, or this person may not know of it.
    :raises NotYourWalk: another officer has it.
    """
    walk = (await walk_rows.walks(tx, [(by.force_id, walk_id)])).get(walk_id)
    if walk is None or not by.may_see(walk):
        raise WalkNotFound
    return own(walk, by)


async def list_walks(
    tx: Transaction, by: Person, state: State, team_id: str | None, page: int
) -> tuple[list[Walk], bool]:
    """A page (from 1) of the walks in a state that this person may see, longest waiting first; whether more follow."""
    if by.is_coordinator:
        return await walk_rows.queue(tx, by.force_id, state, [team_id] if team_id else None, (by.id, None), page)
    if state is State.TRIAGE:
        return [], False
    teams = by.team_ids if team_id is None else by.team_ids & {team_id}
    return await walk_rows.queue(tx, by.force_id, state, sorted(teams), (by.id, by.team_id), page)


@dataclass(frozen=True, slots=True)
class Names:
    """What ids of a force are called, for people to read; areas and officers as the force lists them now."""

    teams: Mapping[str, str]
    areas: Sequence[Area]
    officers: Sequence[Officer]

    def team(self, team_id: str | None) -> str:
        """A team's name, its id where none is known."""
        return self.teams.get(team_id or "", team_id or "")

    def area(self, area_id: str | None) -> str:
        """An area's name, its id where none is known."""
        return next((area.name for area in self.areas if area.id == area_id), area_id or "")

    def officer(self, officer_id: str | None) -> str:
        """An officer's name, the id where the register has it no more."""
        return next((each.name for each in self.officers if each.id == officer_id), officer_id or "")


async def names(tx: Transaction, force_id: str) -> Names:
    """What ids of a force are called."""
    return Names(
        await area_rows.team_names(tx, force_id),
        await area_rows.areas_in_force(tx, force_id),
        await officer_rows.officers(tx, force_id),
    )


async def work_in_hand(tx: Transaction, by: Person) -> list[Walk]:
    """The walks an officer has in hand, the next to be held first."""
    return await walk_rows.walks_with_officer(tx, by.force_id, by.id)


async def work_waiting(tx: Transaction, by: Person, now: datetime) -> Mapping[str, int]:
    """How much waits in the force: in triage, to be taken, follow-ups open and overdue."""
    return await counting.work_waiting(tx, by.force_id, now)


async def count(tx: Transaction, now: datetime) -> Mapping[str, Sequence[tuple[str, str, int]]]:
    """What stands in the database, for metrics."""
    overdue = await disclosure_rows.overdue(tx, now)
    return {
        **await counting.counts(tx, now),
        "disclosures_overdue": [(force_id, "", many) for force_id, many in overdue.items()],
    }
