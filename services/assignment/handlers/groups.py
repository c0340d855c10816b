"""Women walk together on one walk, and are taken out of it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.domain import groups, routing
from services.assignment.domain.groups import NotInGroup
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import WalkNotFound
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers import requests
from services.assignment.handlers.areas import Locate
from services.assignment.handlers.passing import watch
from services.assignment.handlers.people import refuse_who_may_not
from services.assignment.handlers.routing import keep_why
from services.assignment.handlers.walks import Policies, facts, new_id, own, save, walks_asked_about
from services.assignment.store import erasure as erasure_rows
from services.assignment.store import groups as group_rows
from services.assignment.store import requests as request_rows
from services.assignment.store import walks as walk_rows
from shared import audit
from shared.bus import outbox
from shared.bus.subscriptions import Outcome
from shared.contracts.envelope import Event, Received
from shared.contracts.walk_requests import ContactRulesChanged, WalkRequestAmended
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Join:
    """The women of the walk `joined` walk with those of this one."""

    walk_id: UUID
    by: Person
    joined: UUID


@dataclass(frozen=True, slots=True)
class Part:
    """She is taken out of the walk, and gets one of her own."""

    walk_id: UUID
    by: Person
    request_id: UUID


async def join(tx: Transaction, command: Join, now: datetime, *, policies: Policies) -> Walk:
    """Make one walk of two.

    :raises WalkNotFound: one of them is not there, or not for whoever asks.
    :raises MayNotWalk: who has the walk may walk no longer, and is given nobody more.
    """
    force_id = command.by.force_id
    walks = await walk_rows.lock_walks(tx, {(force_id, command.walk_id), (force_id, command.joined)})
    walk, other = walks.get(command.walk_id), walks.get(command.joined)
    if walk is None or other is None or not (command.by.may_see(walk) and command.by.may_see(other)):
        raise WalkNotFound
    together = groups.join(own(walk, command.by), other, policies[force_id].walks, now)
    await refuse_who_may_not(tx, [together.walk.walk], policies, now)
    (saved,) = await save(tx, [command], [together.walk], "joined with others", now)
    await walk_rows.save_walks(tx, [together.left])
    await group_rows.move(tx, [saved])
    if not together.left.requests:
        await erasure_rows.erase_walks(tx, [(force_id, other.id)])
    await audit.record(
        tx, [audit.Entry(force_id, command.by.id, "altered", f"walk {other.id}", f"joined walk {walk.id}")], now
    )
    return saved


async def part(tx: Transaction, command: Part, now: datetime, *, policies: Policies, locate: Locate) -> Walk:
    """Take one woman out of a walk; the walk without her.

    :raises WalkNotFound: it is not there, or not for whoever asks.
    """
    walk = (await walk_rows.lock_walks(tx, [(command.by.force_id, command.walk_id)])).get(command.walk_id)
    if walk is None or not command.by.may_see(walk):
        raise WalkNotFound
    return await _part(tx, own(walk, command.by), command.request_id, command.by.id, now, policies, locate, None)


async def change_contact_rules(
    tx: Transaction,
    received: Sequence[Received[ContactRulesChanged]],
    now: datetime,
    *,
    policies: Policies,
    locate: Locate,
) -> Outcome:
    """Keep how each woman may be contacted now. One whose rules keep others from walking is taken out first."""
    walks, causes, _ = await walks_asked_about(tx, received)
    teams = await requests.own_teams(tx, walks.values())
    for walk in walks.values():
        rules = {one.event.request_id: one for one in causes[walk.id]}
        ruled = groups.with_rules(walk, {id_: one.event.contact for id_, one in rules.items()})
        for request_id in groups.who_must_part(ruled, teams.get(walk.force_id, {})):
            ruled = await _part(tx, ruled, request_id, "assignment", now, policies, locate, rules.get(request_id))
    return await requests.change_contact_rules(tx, received, now)


async def amend_requests(
    tx: Transaction,
    received: Sequence[Received[WalkRequestAmended]],
    now: datetime,
    *,
    policies: Policies,
    locate: Locate,
) -> Outcome:
    """Keep what she wants now. Who wants to walk alone, or with another team, is taken out of her group."""
    outcome = await requests.amend_requests(tx, received, now, locate=locate)
    walks, causes, _ = await walks_asked_about(tx, received)
    for walk in walks.values():
        for one in causes[walk.id]:
            (located,) = locate(walk.force_id, [one.event.route or (one.event.place,)])
            if groups.has_grown_apart(walk, one.event.request_id, located):
                walk = await _part(tx, walk, one.event.request_id, "assignment", now, policies, locate, one)
    return outcome


async def _part(
    tx: Transaction,
    walk: Walk,
    request_id: UUID,
    by: str,
    now: datetime,
    policies: Policies,
    locate: Locate,
    cause: Received[Event] | None,
) -> Walk:
    her = next((request for request in walk.requests if request.id == request_id), None)
    if her is None:
        raise NotInGroup
    (located,) = locate(walk.force_id, [her.route or (her.place,)])
    apart = groups.part(walk, request_id, new_id(), located, policies[walk.force_id].walks)
    hers = apart.hers.walk
    await walk_rows.save_walks(tx, [hers])
    await group_rows.move(tx, [hers])
    await request_rows.save_requests(tx, [hers])
    await keep_why(tx, [routing.why(hers, now)])
    await watch(tx, [(hers.force_id, hers.id)], now, policies=policies)
    await audit.record(
        tx,
        [
            audit.Entry(walk.force_id, by, "altered", f"walk {walk.id}", f"request {request_id} walks alone"),
            audit.Entry(walk.force_id, by, "altered", f"walk {hers.id}", "made of a request that walked with others"),
        ],
        now,
    )
    await outbox.append(tx, facts([apart.hers], now, {hers.id: cause} if cause else None))
    return apart.walk


async def joinable(tx: Transaction, walk: Walk, by: Person, size: int, now: datetime) -> list[Walk]:
    """Walks whose women could join this one, the longest waiting first: of its team, that nobody else has in hand."""
    room = size - len(groups.left_in(walk))
    if room < 1 or walk.located is None or not all(each.group_walk_welcome for each in groups.left_in(walk)):
        return []
    found = await group_rows.welcome(tx, walk.force_id, walk.located.team_id, by.id)
    return [
        other
        for other in found
        if other.id != walk.id
        and by.may_see(other)
        and (other.state is State.ROUTED or other.officer_id == walk.officer_id)
        and len(groups.left_in(other)) <= room
        and not other.contact_stopped
        and all(each.group_walk_welcome for each in groups.left_in(other))
        and not any(other.excludes_officer(id_) for id_ in walk.officer_ids)
        and not groups.is_proposed(other, now)
    ]
