"""A walk and what may be done with it; taking it on."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.assignment.dependencies import Dependencies, Deps, SignedIn, person
from services.assignment.domain.noting import is_resolved
from services.assignment.domain.people import Person, may_walk
from services.assignment.domain.walks import Walk
from services.assignment.forms.taking import TakeForm
from services.assignment.handlers import disclosures as disclosing
from services.assignment.handlers import looking, taking
from services.assignment.handlers.looking import Names
from services.assignment.handlers.taking import Take
from services.assignment.pages.notices import back_to, notice
from services.assignment.pages.suggestions import beside
from services.assignment.routes.views import contact_url
from services.assignment.ways import stops
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User

router = APIRouter()


@router.get("/walks/{walk_id}")
async def show_walk(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """A walk, what may be done with it, what was raised on it and what partners did."""
    return await _walk_page(request, walk_id, user, deps)


async def _walk_page(
    request: Request, walk_id: UUID, user: User, deps: Dependencies, form: Form[TakeForm] | None = None
) -> Response:
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        record = await looking.look_at_walk(tx, walk_id, by, now)
        also = await beside(tx, record.walk, by, now, deps)
        disclosures = await disclosing.disclosures_of_walk(tx, record.walk, by)
        may_disclose = await disclosing.may_disclose(tx, record.walk, by)
        names = await looking.names(tx, user.force_id)
    walk = record.walk
    policy = deps.policies[user.force_id]
    able = [officer for officer in names.officers if may_walk(officer, walk, policy.walks, now)]
    return render(
        request,
        "walk.html",
        422 if form is not None and form.errors else 200,
        form=form or Form[TakeForm](),
        walk=walk,
        record=record,
        **also,
        resolved={one.id for one in record.concerns if is_resolved(one, record.referrals)},
        disclosures=disclosures,
        may_disclose=may_disclose,
        names=names,
        by=by,
        able=able,
        may_act=by.is_coordinator or walk.officer_id == by.id,
        contact_urls={each.id: contact_url(deps, each.id) for each in walk.requests},
        ways={
            each.id: stops(each.route, deps.registers.locate(user.force_id, [(at,) for at in each.route]))
            for each in walk.requests
        },
        minimum_minutes=policy.walks.minimum_minutes,
        group_size=policy.walks.group_size,
        now=now,
        notice=notice(request),
    )


@router.post("/walks/{walk_id}/take")
async def take(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Take a walk on, or give it to an officer."""
    form = await forms.read(request, TakeForm)
    if form.data is None:
        return await _walk_page(request, walk_id, user, deps, form)
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        if by.officer is None and form.data.officer_id is None and by.is_coordinator:
            chosen = None
        else:
            chosen = Take(walk_id, by, form.data.officer_id)
            await taking.take(tx, [chosen], deps.clock(), policies=deps.policies)
    if chosen is None:
        return await _walk_page(request, walk_id, user, deps, form.refused(("officer_id", "Select an officer")))
    return back_to(walk_id, "given" if form.data.officer_id else "taken")


async def walk_in_hand(walk_id: UUID, user: User, deps: Dependencies) -> tuple[Walk, Names]:
    async with deps.database.transaction([user.force_id]) as tx:
        by: Person = await person(tx, user)
        walk = await looking.walk_in_hand(tx, walk_id, by)
        return walk, await looking.names(tx, user.force_id)
