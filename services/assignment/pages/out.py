"""Walks that were not held, and officers who are asked whether they are back."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment.dependencies import Dependencies, Deps, Page, SignedIn, person
from services.assignment.domain.refusals import WrongField
from services.assignment.forms.together import NOT_HELD_MESSAGES, CheckInForm, NotHeldForm
from services.assignment.handlers import check_ins, looking, not_held
from services.assignment.handlers.check_ins import CheckIn
from services.assignment.handlers.not_held import NotHeld
from services.assignment.pages.notices import back_to, notice
from services.assignment.wording import WHAT_NEXT, WHY_NOT_HELD
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User

router = APIRouter()

_AFTER: Final = {"again": "not-held-again", "queue": "not-held-queue", "close": "not-held-close"}


@router.get("/walks/{walk_id}/not-held")
async def show_not_held(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form for why a walk did not take place."""
    return await _not_held_page(request, walk_id, user, deps, Form[NotHeldForm]())


async def _not_held_page(
    request: Request, walk_id: UUID, user: User, deps: Dependencies, form: Form[NotHeldForm]
) -> Response:
    async with deps.database.transaction([user.force_id]) as tx:
        walk = await looking.walk_in_hand(tx, walk_id, await person(tx, user))
    return render(
        request,
        "not_held.html",
        422 if form.errors else 200,
        form=form,
        walk=walk,
        reasons=WHY_NOT_HELD,
        ways_on=WHAT_NEXT,
    )


@router.post("/walks/{walk_id}/not-held")
async def note_not_held(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The walk did not take place."""
    form = await forms.read(request, NotHeldForm, NOT_HELD_MESSAGES)
    if form.data is None:
        return await _not_held_page(request, walk_id, user, deps, form)
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            command = NotHeld(walk_id, await person(tx, user), form.data.why, form.data.what_next)
            await not_held.not_held(tx, [command], deps.clock(), policies=deps.policies)
    except WrongField as refusal:
        return await _not_held_page(request, walk_id, user, deps, form.refused((refusal.field, refusal.message)))
    return back_to(walk_id, _AFTER[form.data.what_next])


@router.get("/check-ins")
async def show_check_ins(request: Request, user: SignedIn, deps: Deps, page: Page = 1) -> Response:
    """Walks whose officers have not said in time that they are back."""
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        walks, more = await check_ins.missed(tx, by, now, page)
        names = await looking.names(tx, user.force_id)
    return render(
        request,
        "check_ins.html",
        by=by,
        walks=walks,
        names=names,
        page=page,
        more=more,
        now=now,
        notice=notice(request),
    )


@router.post("/walks/{walk_id}/check-in")
async def check_in(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The officers are back, or still out and well."""
    form = await forms.read(request, CheckInForm)
    if form.data is None:
        return RedirectResponse(f"/walks/{walk_id}", 303)
    async with deps.database.transaction([user.force_id]) as tx:
        command = CheckIn(walk_id, await person(tx, user), form.data.answer == "back")
        await check_ins.check_in(tx, [command], deps.clock(), policies=deps.policies)
    return back_to(walk_id, "back" if form.data.answer == "back" else "still-out")
