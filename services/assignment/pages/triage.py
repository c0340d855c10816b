"""Walks that need an area, and the choice of one."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.assignment.dependencies import Deps, Page, SignedIn, person
from services.assignment.domain.refusals import AreaUnknown, OfficerExcluded
from services.assignment.domain.walks import State
from services.assignment.forms.routing import RouteForm
from services.assignment.handlers import looking, routing
from services.assignment.handlers.routing import Route
from services.assignment.pages.notices import back_to, notice
from services.assignment.pages.walk import walk_in_hand
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render

router = APIRouter()


@router.get("/triage")
async def triage(request: Request, user: SignedIn, deps: Deps, page: Page = 1) -> Response:
    """Walks for which a coordinator has to choose an area."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        walks, more = await looking.list_walks(tx, by, State.TRIAGE, None, page)
    return render(request, "triage.html", walks=walks, page=page, more=more, now=deps.clock(), notice=notice(request))


@router.get("/walks/{walk_id}/route")
async def show_route(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form for the area."""
    walk, names = await walk_in_hand(walk_id, user, deps)
    return render(request, "route.html", form=Form[RouteForm](), walk=walk, names=names)


@router.post("/walks/{walk_id}/route")
async def route(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """A coordinator chooses the area."""
    form = await forms.read(request, RouteForm, {"area_id": "Select an area"})
    if form.data is not None:
        try:
            async with deps.database.transaction([user.force_id]) as tx:
                command = Route(walk_id, await person(tx, user), form.data.area_id)
                await routing.route_by_hand(tx, [command], deps.clock())
            return back_to(walk_id, "routed")
        except (AreaUnknown, OfficerExcluded) as refusal:
            form = form.refused(("area_id", refusal.message))
    walk, names = await walk_in_hand(walk_id, user, deps)
    return render(request, "route.html", 422, form=form, walk=walk, names=names)
