"""From a place to a team: by its area, or by a coordinator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.assignment.domain.areas import Area, Located
from services.assignment.domain.refusals import AreaUnknown, OfficerExcluded, WalkNotInTriage
from services.assignment.domain.requests import Request
from services.assignment.domain.walks import ENDED, Changed, State, TriageReason, Walk, refuse_ended
from shared.contracts.kinds import Point
from shared.contracts.policy import WalkRules
from shared.contracts.walks import RoutedBy, WalkReturned, WalkRouted
from shared.working_days import due


@dataclass(frozen=True, slots=True)
class Routing:
    """Why a walk went where it went, at one time; each time is kept, and never changed."""

    force_id: str
    walk_id: UUID
    at: datetime
    place: Point
    """The first place where it was asked for."""
    places: int
    """How many places the way had; 1 is no way but a place."""
    located: Located | None
    """None where a person has to choose, for the reason that stands in its stead."""
    triage_reason: TriageReason | None
    by: str | None
    """Whoever chose, a coordinator or the officer who handed it on; None where nobody did."""


def why(walk: Walk, at: datetime, by: str | None = None) -> Routing:
    """Why a walk that was just routed, or put before a coordinator, went there."""
    route = walk.requests[0].route
    return Routing(
        force_id=walk.force_id,
        walk_id=walk.id,
        at=at,
        place=walk.place,
        places=max(1, len(route)),
        located=None if walk.state is State.TRIAGE else walk.located,
        triage_reason=walk.triage_reason,
        by=by,
    )


def is_routed_anew(before: Walk, now: Walk) -> bool:
    """Whether what she changed was where she wants to walk, of a walk that goes where she does."""
    if before.state in ENDED or before.state is State.ARRANGED or len(now.requests) > 1:
        return False
    return (before.place, before.requests[0].route) != (now.place, now.requests[0].route)


@dataclass(frozen=True, slots=True)
class NearbyTeam:
    """A team with an area near a walk, and how far its nearest area is from the place or the way, metres."""

    team_id: str
    distance_m: float


def nearby_teams(walk: Walk, near: Sequence[NearbyTeam], rules: WalkRules) -> tuple[NearbyTeam, ...]:
    """Other teams that may walk with her because she lives or works nearby; nearest first.

    None where the force's policy lets only the team of the place walk. Teams she excluded are never among them.
    """
    own = walk.located.team_id if walk.located else None
    return tuple(
        team
        for team in near
        if team.distance_m <= rules.nearby_teams_within_m > 0
        and team.team_id != own
        and not walk.excludes_team(team.team_id)
    )


def route(force_id: str, walk_id: UUID, request: Request, located: Located | None, rules: WalkRules) -> Changed:
    """A new walk for this request, with the team of its place, or in triage for a coordinator.

    Outside every area, or of a team she has excluded, is no error: a person decides.
    """
    walk = Walk(
        force_id=force_id,
        id=walk_id,
        state=State.TRIAGE,
        place=request.place,
        requested_at=request.requested_at,
        arrange_by=due(request.requested_at, rules.arrange_within),
        requests=(request,),
        triage_reason=TriageReason.OUTSIDE_ALL_AREAS,
    )
    if located is None:
        return Changed(walk)
    if walk.excludes_team(located.team_id):
        return Changed(replace(walk, triage_reason=TriageReason.CONTACT_RULES))
    return routed(walk, located)


def route_by_hand(walk: Walk, area: Area | None) -> Changed:
    """A coordinator chooses the area of a walk in triage.

    :raises AreaUnknown: the force has no such area.
    :raises OfficerExcluded: a woman of this walk has excluded that area's team.
    """
    refuse_ended(walk)
    if walk.state is not State.TRIAGE:
        raise WalkNotInTriage
    if area is None:
        raise AreaUnknown
    if walk.excludes_team(area.team_id):
        raise OfficerExcluded
    return routed(walk, Located(area.id, area.team_id, area.boundary_version, RoutedBy.COORDINATOR))


def returned(walk: Walk, before: Walk) -> Changed:
    """The walk as it stands; where it is in triage and was not before, the word that nobody has it any more."""
    if walk.state is not State.TRIAGE or before.state is State.TRIAGE:
        return Changed(walk)
    return Changed(walk, (WalkReturned(walk_id=walk.id, request_ids=walk.request_ids),))


def routed(walk: Walk, located: Located) -> Changed:
    """The walk with the team of this area, waiting to be taken."""
    event = WalkRouted(
        walk_id=walk.id,
        request_ids=walk.request_ids,
        area_id=located.area_id,
        team_id=located.team_id,
        routed_by=located.how,
        boundary_version=located.boundary_version,
        distance_m=located.distance_m,
    )
    return Changed(replace(walk, state=State.ROUTED, triage_reason=None, located=located), (event,))
