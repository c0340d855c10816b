"""What she changes: where and when she wants to walk, how she may be contacted, whether she wants it at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from services.assignment.domain.areas import Located
from services.assignment.domain.arranging import cancel
from services.assignment.domain.routing import returned, routed
from services.assignment.domain.walks import ENDED, Changed, State, TriageReason, Walk
from shared.contracts.walk_requests import ContactRules, WalkRequestAmended
from shared.contracts.walks import WalkTaken


def amend(walk: Walk, amended: WalkRequestAmended, located: Located | None, at: datetime) -> Changed:
    """She wants to walk elsewhere or at other times; `located` is where her place, or most of her way, belongs now,
    None outside all areas.

    What was proposed lapses. A walk of hers alone goes to the team of the new place, unless it is arranged or has been
    held: then she keeps it, and the officer reads what she has changed.
    """
    request = next(each for each in walk.requests if each.id == amended.request_id)
    changed = replace(
        request,
        place=amended.place,
        place_from_postcode=amended.place_from_postcode,
        lives_or_works_here=amended.lives_or_works_here,
        reasons=amended.reasons,
        availability=amended.availability,
        group_walk_welcome=amended.group_walk_welcome,
        language=amended.language,
        route=amended.route,
        amended_at=at,
    )
    requests = tuple(changed if each is request else each for each in walk.requests)
    walk = replace(walk, requests=requests, proposal=None)
    if walk.state in ENDED or walk.state is State.ARRANGED or len(requests) > 1:
        return Changed(walk)
    if (request.place, request.route) == (changed.place, changed.route):
        return Changed(walk)
    before = walk = replace(walk, place=changed.place)
    kept = located is not None and walk.located is not None and located.team_id == walk.located.team_id
    if kept and walk.state is State.TAKEN and walk.officer_id is not None and located is not None:
        # Her officer walks there too. Told again, because whoever keeps her contact card let go of it meanwhile.
        event = WalkTaken(
            walk_id=walk.id, request_ids=walk.request_ids, officer_id=walk.officer_id, team_id=located.team_id
        )
        return Changed(replace(walk, located=located), (event,))
    walk = replace(
        walk,
        state=State.TRIAGE,
        triage_reason=TriageReason.OUTSIDE_ALL_AREAS,
        officer_id=None,
        officer_kind=None,
        second_id=None,
    )
    if located is None:
        return returned(walk, before)
    if walk.excludes_team(located.team_id):
        return returned(replace(walk, triage_reason=TriageReason.CONTACT_RULES), before)
    return routed(walk, located)


def withdraw(walk: Walk, withdrawn: frozenset[UUID], now: datetime) -> Changed:
    """Requests were withdrawn: the walk is cancelled when none remains, and goes on for the others."""
    requests = tuple(
        replace(request, withdrawn_at=request.withdrawn_at or now) if request.id in withdrawn else request
        for request in walk.requests
    )
    walk = replace(walk, requests=requests)
    if walk.state in ENDED or any(request.withdrawn_at is None for request in requests):
        return Changed(walk)
    return cancel(walk, "withdrawn")


def _excludes(walk: Walk, officer_id: str | None, teams: Mapping[str, str]) -> bool:
    return officer_id is not None and (walk.excludes_officer(officer_id) or walk.excludes_team(teams.get(officer_id)))


def change_contact(
    walk: Walk, rules: Mapping[UUID, ContactRules], teams: Mapping[str, str] = MappingProxyType({})
) -> Walk:
    """New rules of these requests: a walk whose officer or team is now excluded goes back to a coordinator.

    `teams` are the own teams of the walk's officers, who may walk for others than these.
    """
    walk = replace(
        walk,
        requests=tuple(replace(request, contact=rules.get(request.id, request.contact)) for request in walk.requests),
    )
    if walk.contact_stopped:
        walk = replace(walk, proposal=None)
    if walk.state in ENDED or walk.state is State.TRIAGE or walk.located is None:
        return walk
    team_id = walk.located.team_id
    if walk.second_id is not None and _excludes(walk, walk.second_id, teams):
        walk = replace(walk, second_id=None)
    if not (walk.excludes_team(team_id) or _excludes(walk, walk.officer_id, teams)):
        return walk
    return replace(
        walk,
        state=State.TRIAGE,
        triage_reason=TriageReason.CONTACT_RULES,
        officer_id=None,
        officer_kind=None,
        starts_at=None,
        busy_until=None,
        meeting_place=None,
        proposal=None,
        second_id=None,
    )
