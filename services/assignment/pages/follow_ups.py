"""Calls, visits and reviews: what is to be made, what was tried, who sees to it, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment import wording
from services.assignment.dependencies import Dependencies, Deps, Page, SignedIn, person
from services.assignment.domain import calls
from services.assignment.domain.follow_ups import FollowUpKind
from services.assignment.domain.people import may_walk
from services.assignment.domain.refusals import (
    MayNotWalk,
    NotOfThisTeam,
    NotOnRegister,
    OfficerExcluded,
    OutcomeDoesNotFit,
    WrongField,
)
from services.assignment.forms.clock import NoSuchTime, moment
from services.assignment.forms.follow_ups import (
    CALL_MESSAGES,
    TO_A_COORDINATOR,
    CallForm,
    HandOverForm,
    OutcomeForm,
)
from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers import looking
from services.assignment.handlers.follow_ups import CompleteFollowUp, HandOverFollowUp, TryToReach
from services.assignment.pages.notices import notice
from services.assignment.routes.views import contact_url
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User
from shared.working_days import london

router = APIRouter()

Which = Literal["open", "overdue", "reviews", "completed"]
FIELDS: Final[Mapping[str, str]] = {"at": "clock", "outcome": "result"}
"""Where a field of the domain stands in the form of an attempt."""


@router.get("/follow-ups")
async def show_follow_ups(
    request: Request, user: SignedIn, deps: Deps, which: Which = "open", page: Page = 1
) -> Response:
    """Calls, visits and reviews still to be made, what is overdue first; or those overdue, reviews, or what is over."""
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found, more = await following_up.list_follow_ups(
            tx,
            by,
            page,
            is_open=which != "completed",
            due_before=now if which == "overdue" else None,
            kind=FollowUpKind.REVIEW if which == "reviews" else None,
        )
        names = await looking.names(tx, user.force_id)
    return render(
        request,
        "follow_ups.html",
        follow_ups=found,
        which=which,
        names=names,
        page=page,
        more=more,
        now=now,
        notice=notice(request),
    )


@router.get("/follow-ups/{follow_up_id}")
async def show_follow_up(request: Request, follow_up_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """One follow-up, how she may be contacted and what was tried."""
    return await _follow_up_page(request, follow_up_id, user, deps, Form[OutcomeForm]())


async def _follow_up_page(
    request: Request,
    follow_up_id: UUID,
    user: User,
    deps: Dependencies,
    form: Form[OutcomeForm] | Form[CallForm] | Form[HandOverForm],
) -> Response:
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found, walk, tried = await following_up.look_at_follow_up(tx, follow_up_id, by, now)
        names = await looking.names(tx, user.force_id)
    asked = next((each for each in walk.requests if each.id == found.request_id), None) if walk else None
    rules = deps.policies[user.force_id].walks
    able = [
        officer
        for officer in names.officers
        if officer.id != found.officer_id
        and (may_walk(officer, walk, rules, now) if walk is not None else officer.active)
    ]
    return render(
        request,
        "follow_up.html",
        422 if form.errors else 200,
        form=form,
        found=found,
        walk=walk,
        asked=asked,
        tried=tried,
        ways=calls.ways(asked.contact) if asked else (),
        able=able,
        to_a_coordinator=TO_A_COORDINATOR,
        names=names,
        may_see_walk=walk is not None and by.may_see(walk),
        outcomes=wording.OUTCOMES,
        contact_url=contact_url(deps, found.request_id) if found.request_id else None,
        today=_typed(now),
        now=now,
        notice=notice(request),
    )


def _typed(at: datetime) -> tuple[str, str]:
    return f"{london(at):%Y-%m-%d}", f"{london(at):%H:%M}"


@router.post("/follow-ups/{follow_up_id}/attempts")
async def log_call(request: Request, follow_up_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Somebody tried to reach her."""
    form = await forms.read(request, CallForm, CALL_MESSAGES)
    if form.data is None:
        return await _follow_up_page(request, follow_up_id, user, deps, form)
    try:
        at = moment(form.data.day, form.data.clock)
        async with deps.database.transaction([user.force_id]) as tx:
            command = TryToReach(follow_up_id, await person(tx, user), form.data.way, form.data.result, at)
            await following_up.log_call(tx, command, deps.clock())
    except NoSuchTime as refusal:
        return await _follow_up_page(request, follow_up_id, user, deps, form.refused(("clock", refusal.message)))
    except WrongField as refusal:
        wrong = [(FIELDS.get(name, name), message) for name, message in refusal.fields.items()]
        return await _follow_up_page(request, follow_up_id, user, deps, form.refused(*wrong))
    return RedirectResponse(f"/follow-ups/{follow_up_id}?done=tried", 303)


@router.post("/follow-ups/{follow_up_id}/hand-over")
async def hand_over(request: Request, follow_up_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Somebody else sees to it."""
    form = await forms.read(request, HandOverForm, {"officer_id": "Select who sees to it"})
    if form.data is None:
        return await _follow_up_page(request, follow_up_id, user, deps, form)
    chosen = None if form.data.officer_id == TO_A_COORDINATOR else form.data.officer_id
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            command = HandOverFollowUp(follow_up_id, await person(tx, user), chosen)
            await following_up.hand_over(tx, command, deps.clock(), policies=deps.policies)
    except (MayNotWalk, NotOfThisTeam, NotOnRegister, OfficerExcluded) as refusal:
        return await _follow_up_page(request, follow_up_id, user, deps, form.refused(("officer_id", refusal.message)))
    return RedirectResponse("/follow-ups?done=follow-up-given", 303)


@router.post("/follow-ups/{follow_up_id}/complete")
async def complete_follow_up(request: Request, follow_up_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The call, visit or review was made, or given up."""
    form = await forms.read(request, OutcomeForm, {"outcome": "Select what came of it"})
    if form.data is None:
        return await _follow_up_page(request, follow_up_id, user, deps, form)
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            command = CompleteFollowUp(follow_up_id, await person(tx, user), form.data.outcome)
            await following_up.complete_follow_ups(tx, [command], deps.clock())
    except OutcomeDoesNotFit as refusal:
        return await _follow_up_page(request, follow_up_id, user, deps, form.refused(("outcome", refusal.message)))
    return RedirectResponse("/follow-ups?done=followed-up", 303)
