"""What the bus tells of requests: made, amended, withdrawn, contacted otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.assignment.domain import contact, requests, routing
from services.assignment.domain.areas import Located
from services.assignment.domain.walks import State, Walk
from services.assignment.handlers.areas import Locate
from services.assignment.handlers.passing import watch
from services.assignment.handlers.routing import keep_why
from services.assignment.handlers.telling import tell_of, tell_of_changes
from services.assignment.handlers.walks import Policies, facts, new_id, walks_asked_about
from services.assignment.store import follow_ups as follow_up_rows
from services.assignment.store import officers as officer_rows
from services.assignment.store import requests as request_rows
from services.assignment.store import walks as walk_rows
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.bus.subscriptions import Outcome
from shared.contracts.envelope import Received
from shared.contracts.walk_requests import (
    ContactRules,
    ContactRulesChanged,
    WalkRequestAmended,
    WalkRequested,
    WalkRequestWithdrawn,
)
from shared.database import Transaction


async def route_requests(
    tx: Transaction,
    received: Sequence[Received[WalkRequested]],
    now: datetime,
    *,
    policies: Policies,
    locate: Locate,
) -> None:
    """Make a walk of each request and give it to the team of its place, or to a coordinator."""
    known = await request_rows.known_requests(tx, [(one.force_id, one.event.request_id) for one in received])
    fresh = [one for one in received if one.event.request_id not in known]
    by_force: defaultdict[str, list[Received[WalkRequested]]] = defaultdict(list)
    for one in fresh:
        by_force[one.force_id].append(one)
    places: dict[UUID, Located | None] = {}
    for force_id, group in by_force.items():
        found = locate(force_id, [one.event.route or (one.event.place,) for one in group])
        places.update(zip((one.id for one in group), found, strict=True))
    decided = [
        routing.route(
            one.force_id,
            new_id(),
            requests.request_of(one.event, one.time),
            places[one.id],
            policies[one.force_id].walks,
        )
        for one in fresh
    ]
    await walk_rows.save_walks(tx, [each.walk for each in decided])
    await request_rows.save_requests(tx, [each.walk for each in decided])
    await keep_why(tx, [routing.why(each.walk, now) for each in decided])
    await watch(tx, [(each.walk.force_id, each.walk.id) for each in decided], now, policies=policies)
    await tell_of(tx, decided, now)
    await outbox.append(
        tx,
        [
            Fact(event, one.force_id, now, one)
            for one, each in zip(fresh, decided, strict=True)
            for event in each.events
        ],
    )


async def withdraw_requests(
    tx: Transaction, received: Sequence[Received[WalkRequestWithdrawn]], now: datetime
) -> Outcome:
    """Cancel walks for which no request remains."""
    walks, causes, awaiting = await walks_asked_about(tx, received)
    decided = [
        contact.withdraw(walk, frozenset(one.event.request_id for one in causes[walk.id]), now)
        for walk in walks.values()
    ]
    await walk_rows.save_walks(tx, [each.walk for each in decided])
    await request_rows.save_requests(tx, [each.walk for each in decided])
    await tell_of(tx, decided, now)
    await outbox.append(tx, facts(decided, now, {walk_id: group[-1] for walk_id, group in causes.items()}))
    return Outcome(awaiting=awaiting)


async def change_contact_rules(
    tx: Transaction, received: Sequence[Received[ContactRulesChanged]], now: datetime
) -> Outcome:
    """Keep how each woman may be contacted now; whom she excludes loses the walk and its follow-ups."""
    walks, causes, awaiting = await walks_asked_about(tx, received)
    teams = await own_teams(tx, walks.values())
    changed = [
        contact.change_contact(walk, _rules(causes[walk.id]), teams.get(walk.force_id, {})) for walk in walks.values()
    ]
    await walk_rows.save_walks(tx, changed)
    await request_rows.save_requests(tx, changed)
    sent_back = [walk for walk in changed if walk.state is State.TRIAGE and walks[walk.id].state is not State.TRIAGE]
    await keep_why(tx, [routing.why(walk, now) for walk in sent_back])
    told = [routing.returned(walk, walks[walk.id]) for walk in sent_back]
    await outbox.append(tx, facts(told, now, {walk_id: group[-1] for walk_id, group in causes.items()}))
    await follow_up_rows.release_follow_ups(tx, [(walk.force_id, walk.id) for walk in changed])
    return Outcome(awaiting=awaiting)


async def own_teams(tx: Transaction, walks: Iterable[Walk]) -> dict[str, dict[str, str]]:
    """By force and officer: the own teams of these walks' officers."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    on_them = {(walk.force_id, id_) for walk in walks for id_ in walk.officer_ids}
    for (force_id, id_), officer in (await officer_rows.officers_by_id(tx, on_them)).items():
        found[force_id][id_] = officer.team_id
    return dict(found)


async def amend_requests(
    tx: Transaction, received: Sequence[Received[WalkRequestAmended]], now: datetime, *, locate: Locate
) -> Outcome:
    """Keep what she wants now; a walk of hers that is not arranged yet goes to the team of its new place."""
    walks, causes, awaiting = await walks_asked_about(tx, received)
    places: dict[UUID, Located | None] = {}
    for force_id in {one.force_id for one in received}:
        group = [one for one in received if one.force_id == force_id]
        found = locate(force_id, [one.event.route or (one.event.place,) for one in group])
        places.update(zip((one.id for one in group), found, strict=True))
    decided, cause = [], {}
    routings: list[routing.Routing] = []
    for walk in walks.values():
        for one in causes[walk.id]:
            changed = contact.amend(walk, one.event, places[one.id], one.time)
            if routing.is_routed_anew(walk, changed.walk):
                routings.append(routing.why(changed.walk, now))
            walk = changed.walk
            decided.append(changed)
            cause[walk.id] = one
    latest = {changed.walk.id: changed.walk for changed in decided}
    await walk_rows.save_walks(tx, list(latest.values()))
    await request_rows.save_requests(tx, list(latest.values()))
    await keep_why(tx, routings)
    await tell_of_changes(tx, decided, now)
    await outbox.append(tx, facts(decided, now, cause))
    return Outcome(awaiting=awaiting)


def _rules(causes: Sequence[Received[ContactRulesChanged]]) -> dict[UUID, ContactRules]:
    return {one.event.request_id: one.event.contact for one in causes}
