"""Suggestions of officer and time for a walk, from her windows and officers' days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.assignment.domain import availability, matching
from services.assignment.domain.arranging import busy_until
from services.assignment.domain.matching import Candidate, Span, Suggested
from services.assignment.domain.people import Officer, Person
from services.assignment.domain.refusals import WalkNotFound
from services.assignment.domain.walks import Walk
from services.assignment.handlers.walks import Policies
from services.assignment.store import matching as matching_rows
from services.assignment.store import officers as officer_rows
from services.assignment.store import walks as walk_rows
from shared import audit
from shared.database import Transaction


async def suggest(tx: Transaction, walk_id: UUID, by: Person, now: datetime, *, policies: Policies) -> Suggested:
    """Whom to ask and what to propose; the look is logged.

    :raises WalkNotFound: there is none, or this person may not know of it.
    """
    walk = (await walk_rows.walks(tx, [(by.force_id, walk_id)])).get(walk_id)
    if walk is None or not by.may_see(walk):
        raise WalkNotFound
    await audit.record(
        tx, [audit.Entry(by.force_id, by.id, "consulted", f"walk {walk_id}", "looked for officer and time")], now
    )
    return await suggestions(tx, walk, by, now, policies=policies)


async def suggestions(tx: Transaction, walk: Walk, by: Person, now: datetime, *, policies: Policies) -> Suggested:
    """For a coordinator, everyone who may walk; for an officer, their own times alone."""
    officers = await _asked_for(tx, walk, by)
    keys = [(walk.force_id, each.id) for each in officers]
    ids = [each.id for each in officers]
    rules = policies[walk.force_id].walks
    windows = await officer_rows.windows_of_officers(tx, keys)
    # Whoever comes along has to be free as well.
    along = [walk.second_id] if walk.second_id else []
    in_hand = await matching_rows.in_hand(tx, walk.force_id, [*ids, *along], walk.id, now)
    reached, let_go = await matching_rows.who_knows_her(tx, walk.force_id, walk.id)
    first, last = matching.days_asked(walk, now)
    candidates = [
        Candidate(
            officer,
            works=tuple(
                Span(each.starts_at, each.ends_at)
                for each in availability.free(windows[key], officer.absences, first, last)
            )
            if key in windows
            else None,
            booked=(
                *(Span(*times) for id_ in (officer.id, *along) for times in in_hand.booked[id_]),
                *(Span(at, busy_until(at, rules)) for id_ in (officer.id, *along) for at in in_hand.proposed[id_]),
            ),
            in_hand=in_hand.many[officer.id],
            spoke_with_her=officer.id in reached,
            gave_it_back=officer.id in let_go,
        )
        for key, officer in zip(keys, officers, strict=True)
    ]
    return matching.suggest(walk, candidates, rules, now)


async def _asked_for(tx: Transaction, walk: Walk, by: Person) -> Sequence[Officer]:
    if walk.located is None:
        return ()
    one = walk.officer_id or (None if by.is_coordinator else by.id)
    if one is None:
        team = walk.located.team_id
        return [each for each in await officer_rows.officers(tx, walk.force_id) if team in each.team_ids]
    if not by.is_coordinator and one != by.id:
        return ()
    return list((await officer_rows.officers_by_id(tx, [(walk.force_id, one)])).values())
