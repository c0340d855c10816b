"""Walks are given back, handed over and escalated; one that nobody takes escalates by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.assignment.domain import passing, routing
from services.assignment.domain.passing import AlreadyEscalated, PassedOn, What, WhyPassed
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import NotOnRegister, WalkNotFound
from services.assignment.domain.walks import ENDED, Changed, State, Walk
from services.assignment.handlers.routing import keep_why
from services.assignment.handlers.telling import escalated, tell
from services.assignment.handlers.walks import Policies, new_id, own, save, walks_commanded
from services.assignment.store import areas as area_rows
from services.assignment.store import booking
from services.assignment.store import officers as officer_rows
from services.assignment.store import passing as passing_rows
from services.assignment.store import walks as walk_rows
from services.assignment.store.rows import Key
from shared import audit, timers
from shared.database import Transaction
from shared.working_days import due

NOT_TAKEN: Final = "walk-not-taken"


@dataclass(frozen=True, slots=True)
class PassOn:
    """What is to become of the walk, and why: `to` an officer's id or an area's, where it goes to one."""

    walk_id: UUID
    by: Person
    what: What
    why: WhyPassed
    to: str | None = None


async def pass_on(tx: Transaction, commands: Sequence[PassOn], now: datetime, *, policies: Policies) -> list[Walk]:
    """Pass walks on as each command says, with its reason in the history of the walk."""
    # Timers first, as when they fire: the other way round the two could wait for each other.
    await watch(tx, [(each.by.force_id, each.walk_id) for each in commands], now, policies=policies)
    walks = await walks_commanded(tx, commands)
    officers = await officer_rows.officers_by_id(
        tx, [(each.by.force_id, each.to) for each in commands if each.to and each.what is What.TO_OFFICER]
    )
    areas = {
        (area.force_id, area.id): area
        for force_id in {each.by.force_id for each in commands if each.what is What.TO_TEAM}
        for area in await area_rows.areas_in_force(tx, force_id)
    }
    decided: list[Changed] = []
    for command in commands:
        walk = walks[command.walk_id]
        at = (command.by.force_id, command.to or "")
        match command.what:
            case What.GIVEN_BACK:
                decided.append(passing.give_back(own(walk, command.by)))
            case What.TO_OFFICER:
                officer = officers.get(at)
                if officer is None:
                    raise NotOnRegister
                rules = policies[command.by.force_id].walks
                decided.append(passing.to_officer(own(walk, command.by), officer, rules, now))
            case What.TO_TEAM:
                decided.append(passing.to_team(_waiting_or_own(walk, command.by), areas.get(at)))
            case What.TO_COORDINATOR | What.NOT_TAKEN:
                decided.append(passing.to_coordinator(_waiting_or_own(walk, command.by)))
    await booking.refuse_double_booking(
        tx, [each.walk for each in decided if each.walk.state is State.ARRANGED and each.events]
    )
    steps = [
        _step(command.what, walks[command.walk_id], changed.walk, now, command)
        for command, changed in zip(commands, decided, strict=True)
    ]
    await passing_rows.settle(
        tx,
        [
            (walk.force_id, walk.id)
            for command in commands
            for walk in (walks[command.walk_id],)
            # What waits for a coordinator already is not escalated again; what somebody had taken meanwhile is.
            if command.what is not What.TO_COORDINATOR or walk.state is not State.ROUTED
        ],
        now,
    )
    kept = await passing_rows.keep(tx, steps)
    if any(each.walk_id not in kept for each in steps):
        raise AlreadyEscalated
    asked = [one.walk for command, one in zip(commands, decided, strict=True) if command.what is What.TO_COORDINATOR]
    await tell(tx, escalated(asked), now)
    saved: list[Walk] = []
    for command, changed in zip(commands, decided, strict=True):
        saved += await save(tx, [command], [changed], f"passed on: {command.what}, {command.why}", now)
    to_teams = [(walk, each.by.id) for walk, each in zip(saved, commands, strict=True) if each.what is What.TO_TEAM]
    await keep_why(tx, [routing.why(walk, now, by) for walk, by in to_teams])
    return saved


async def watch(tx: Transaction, walks: Iterable[Key], now: datetime, *, policies: Policies) -> None:
    """From now on there are the days of the force's policy for somebody to take each of these walks."""
    await timers.set(
        tx,
        NOT_TAKEN,
        [timers.Due(force_id, id_, due(now, policies[force_id].walks.take_within)) for force_id, id_ in walks],
    )


async def escalate_not_taken(
    tx: Transaction, fired: Sequence[timers.Fired], now: datetime, *, policies: Policies
) -> None:
    """Bring walks that nobody has taken in time before a coordinator; the team may still take them.

    A walk that is not over is looked at again: whoever has it may let it go.
    """
    walks = await walk_rows.lock_walks(tx, [(one.force_id, one.subject) for one in fired])
    steps = [_step(What.NOT_TAKEN, walk, walk, now) for walk in walks.values() if walk.state is State.ROUTED]
    # Somebody has seen to the others since, or they are over.
    seen_to = [(walk.force_id, walk.id) for walk in walks.values() if walk.state is not State.ROUTED]
    await passing_rows.settle(tx, seen_to, now)
    kept = await passing_rows.keep(tx, steps)
    await tell(tx, escalated(walk for walk in walks.values() if walk.id in kept), now)
    still = [(walk.force_id, walk.id) for walk in walks.values() if walk.state not in ENDED]
    await watch(tx, still, now, policies=policies)
    await audit.record(
        tx,
        [
            audit.Entry(each.force_id, "assignment", "altered", f"walk {each.walk_id}", "escalated: nobody took it")
            for each in steps
            if each.walk_id in kept
        ],
        now,
    )


async def walk_to_pass_on(tx: Transaction, walk_id: UUID, by: Person, what: What) -> Walk:
    """A walk that this person may pass on so.

    :raises WalkNotFound: there is none, or this person may not know of it.
    :raises NotYourWalk: another officer has it.
    """
    walk = (await walk_rows.walks(tx, [(by.force_id, walk_id)])).get(walk_id)
    if walk is None or not by.may_see(walk):
        raise WalkNotFound
    return own(walk, by) if what in (What.GIVEN_BACK, What.TO_OFFICER) else _waiting_or_own(walk, by)


def _waiting_or_own(walk: Walk, by: Person) -> Walk:
    """A walk that waits may be brought before a coordinator, or to another team, by anyone of the team it waits for."""
    return walk if walk.officer_id is None else own(walk, by)


def _step(what: What, before: Walk, after: Walk, now: datetime, command: PassOn | None = None) -> PassedOn:
    return PassedOn(
        force_id=before.force_id,
        id=new_id(),
        walk_id=before.id,
        at=now,
        what=what,
        why=command.why if command else None,
        by_id=command.by.id if command else None,
        from_officer_id=before.officer_id,
        to_officer_id=after.officer_id if what is What.TO_OFFICER else None,
        from_team_id=before.located.team_id if before.located else None,
        to_team_id=after.located.team_id if after.located and what is What.TO_TEAM else None,
    )


async def list_escalated(tx: Transaction, by: Person, page: int) -> tuple[list[tuple[PassedOn, Walk]], bool]:
    """A page (from 1) of the walks a coordinator has to see to, longest first; whether more follow."""
    steps, more = await passing_rows.escalated(tx, by.force_id, by.id, page)
    walks = await walk_rows.walks(tx, [(each.force_id, each.walk_id) for each in steps])
    return [(each, walks[each.walk_id]) for each in steps if by.may_see(walks[each.walk_id])], more


async def history(tx: Transaction, walk: Walk) -> list[PassedOn]:
    """How the walk was passed on, the first step first."""
    return await passing_rows.of_walks(tx, [(walk.force_id, walk.id)])
