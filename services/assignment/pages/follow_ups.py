"""Calls, visits and reviews, and how they ended."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment import wording
from services.assignment.dependencies import Dependencies, Deps, Page, SignedIn, person
from services.assignment.forms.follow_ups import OutcomeForm
from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers import looking
from services.assignment.handlers.follow_ups import CompleteFollowUp
from services.assignment.pages.notices import notice
from services.assignment.routes.views import contact_url
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User

router = APIRouter()


@router.get("/follow-ups")
async def show_follow_ups(request: Request, user: SignedIn, deps: Deps, page: Page = 1) -> Response:
    """Calls, visits and reviews still to be made, what is overdue first."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found, more = await following_up.list_follow_ups(tx, by, page)
        names = await looking.names(tx, user.force_id)
    return render(
        request,
        "follow_ups.html",
        follow_ups=found,
        names=names,
        page=page,
        more=more,
        now=deps.clock(),
        notice=notice(request),
    )


@router.get("/follow-ups/{follow_up_id}")
async def show_follow_up(request: Request, follow_up_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """One follow-up and how she may be contacted."""
    return await _follow_up_page(request, follow_up_id, user, deps, Form[OutcomeForm]())


async def _follow_up_page(
    request: Request, follow_up_id: UUID, user: User, deps: Dependencies, form: Form[OutcomeForm]
) -> Response:
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found, walk = await following_up.look_at_follow_up(tx, follow_up_id, by, now)
        names = await looking.names(tx, user.force_id)
    asked = next((each for each in walk.requests if each.id == found.request_id), None) if walk else None
    return render(
        request,
        "follow_up.html",
        422 if form.errors else 200,
        form=form,
        found=found,
        walk=walk,
        asked=asked,
        names=names,
        may_see_walk=walk is not None and by.may_see(walk),
        outcomes=wording.OUTCOMES,
        contact_url=contact_url(deps, found.request_id) if found.request_id else None,
        now=now,
    )


@router.post("/follow-ups/{follow_up_id}/complete")
async def complete_follow_up(request: Request, follow_up_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The call, visit or review was made, or given up."""
    form = await forms.read(request, OutcomeForm, {"outcome": "Select what came of it"})
    if form.data is None:
        return await _follow_up_page(request, follow_up_id, user, deps, form)
    async with deps.database.transaction([user.force_id]) as tx:
        command = CompleteFollowUp(follow_up_id, await person(tx, user), form.data.outcome)
        await following_up.complete_follow_ups(tx, [command], deps.clock())
    return RedirectResponse("/follow-ups?done=followed-up", 303)
