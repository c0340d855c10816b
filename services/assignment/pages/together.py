"""Who comes along on a walk, and women who walk together."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.assignment.dependencies import Dependencies, Deps, SignedIn, person
from services.assignment.domain.groups import NotTogether, left_in
from services.assignment.domain.people import may_walk
from services.assignment.domain.refusals import (
    MayNotWalk,
    NotOfThisTeam,
    NotOnRegister,
    OfficerDoubleBooked,
    OfficerExcluded,
    WrongField,
)
from services.assignment.forms.together import JoinForm, PartForm, SecondForm
from services.assignment.handlers import groups, looking, second
from services.assignment.handlers.groups import Join, Part
from services.assignment.handlers.second import Bring
from services.assignment.pages.notices import back_to
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User

router = APIRouter()


@router.get("/walks/{walk_id}/second")
async def show_second(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form for the officer who comes along."""
    return await _second_page(request, walk_id, user, deps, Form[SecondForm]())


async def _second_page(
    request: Request, walk_id: UUID, user: User, deps: Dependencies, form: Form[SecondForm]
) -> Response:
    async with deps.database.transaction([user.force_id]) as tx:
        walk = await looking.walk_in_hand(tx, walk_id, await person(tx, user))
        names = await looking.names(tx, user.force_id)
    rules = deps.policies[user.force_id].walks
    able = [
        officer
        for officer in names.officers
        if officer.id != walk.officer_id and may_walk(officer, walk, rules, deps.clock())
    ]
    return render(request, "second.html", 422 if form.errors else 200, form=form, walk=walk, names=names, able=able)


@router.post("/walks/{walk_id}/second")
async def bring_second(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """An officer comes along, or nobody any more."""
    form = await forms.read(request, SecondForm)
    if form.data is None:
        return await _second_page(request, walk_id, user, deps, form)
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            command = Bring(walk_id, await person(tx, user), form.data.officer_id or None)
            await second.bring(tx, [command], deps.clock(), policies=deps.policies)
    except (WrongField, MayNotWalk, NotOfThisTeam, NotOnRegister, OfficerExcluded, OfficerDoubleBooked) as refusal:
        refused = form.refused(("officer_id", refusal.message))
        return await _second_page(request, walk_id, user, deps, refused)
    return back_to(walk_id, "second" if form.data.officer_id else "no-second")


@router.get("/walks/{walk_id}/group")
async def show_group(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Who walks together, and whose walks could join."""
    return await _group_page(request, walk_id, user, deps, Form[JoinForm]())


async def _group_page(
    request: Request, walk_id: UUID, user: User, deps: Dependencies, form: Form[JoinForm]
) -> Response:
    now = deps.clock()
    size = deps.policies[user.force_id].walks.group_size
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        walk = await looking.walk_in_hand(tx, walk_id, by)
        others = await groups.joinable(tx, walk, by, size, now)
        names = await looking.names(tx, user.force_id)
    return render(
        request,
        "group.html",
        422 if form.errors else 200,
        form=form,
        walk=walk,
        present=left_in(walk),
        others=others,
        size=size,
        names=names,
        now=now,
    )


@router.post("/walks/{walk_id}/group/join")
async def join(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The women of another walk join this one."""
    form = await forms.read(request, JoinForm, {"joined": "Select who joins this walk"})
    if form.data is None:
        return await _group_page(request, walk_id, user, deps, form)
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            command = Join(walk_id, await person(tx, user), form.data.joined)
            await groups.join(tx, command, deps.clock(), policies=deps.policies)
    except (NotTogether, OfficerExcluded) as refusal:
        return await _group_page(request, walk_id, user, deps, form.refused(("joined", refusal.message)))
    return back_to(walk_id, "joined")


@router.post("/walks/{walk_id}/group/part")
async def part(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """One of the women walks alone again."""
    form = await forms.read(request, PartForm)
    if form.data is None:
        return await _group_page(request, walk_id, user, deps, Form[JoinForm](errors=form.errors))
    async with deps.database.transaction([user.force_id]) as tx:
        command = Part(walk_id, await person(tx, user), form.data.request_id)
        await groups.part(tx, command, deps.clock(), policies=deps.policies, locate=deps.registers.locate)
    return back_to(walk_id, "parted")
