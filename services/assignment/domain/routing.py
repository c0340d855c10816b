"""From a place to a team: by its area, or by a coordinator."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from services.assignment.domain.areas import Area, Located
from services.assignment.domain.refusals import AreaUnknown, OfficerExcluded, WalkNotInTriage
from services.assignment.domain.requests import Request
from services.assignment.domain.walks import Changed, State, TriageReason, Walk, refuse_ended
from shared.contracts.policy import WalkRules
from shared.contracts.walks import RoutedBy, WalkRouted
from shared.working_days import due


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
