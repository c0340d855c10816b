"""Patrols: logged on a phone, listed by team, wanted where concerns ask for them."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment.dependencies import Dependencies, Deps, Page, SignedIn, person
from services.assignment.domain.patrols import Patrol, wanted_of
from services.assignment.domain.people import Person
from services.assignment.domain.refusals import WrongField
from services.assignment.forms.patrols import PATROL_MESSAGES, PatrolForm, patrol_of, values_of
from services.assignment.handlers import looking
from services.assignment.handlers import patrols as patrolling
from services.assignment.handlers.looking import Names
from services.assignment.handlers.patrols import LogPatrol
from services.assignment.pages.notices import notice
from shared.contracts.walks import PatrolKind
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User
from shared.working_days import london

router = APIRouter()

FIELDS: Final = {"ended_at": "end", "started_at": "day"}
"""Where a field of the domain stands in the form."""
Team = Annotated[str | None, Query(max_length=63)]


@router.get("/patrols")
async def show_patrols(request: Request, user: SignedIn, deps: Deps, team_id: Team = None, page: Page = 1) -> Response:
    """What was logged, the latest first."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found, more = await patrolling.list_patrols(tx, by, team_id or None, page)
        names = await looking.names(tx, user.force_id)
    return render(
        request,
        "patrols/patrols.html",
        patrols=found,
        names=names,
        teams=_teams(by, names),
        team_id=team_id or "",
        page=page,
        more=more,
        notice=notice(request),
    )


def _teams(by: Person, names: Names) -> dict[str, str]:
    return dict(names.teams) if by.is_coordinator else {id_: names.team(id_) for id_ in sorted(by.team_ids)}


@router.get("/patrols/wanted")
async def show_wanted(request: Request, user: SignedIn, deps: Deps, team_id: Team = None, page: Page = 1) -> Response:
    """Concerns for which a patrol is wanted, where somebody was least first."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        policy = deps.policies[user.force_id]
        found, more = await patrolling.list_wanted(tx, by, page, policy=policy, team_id=team_id or None)
        names = await looking.names(tx, user.force_id)
    return render(
        request,
        "patrols/wanted.html",
        wanted=found,
        names=names,
        teams=_teams(by, names),
        team_id=team_id or "",
        page=page,
        more=more,
        notice=notice(request),
    )


@router.post("/patrols/wanted/{concern_id}/enough")
async def say_enough(concern_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """There were enough."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        await patrolling.say_enough(tx, concern_id, by, deps.clock(), policies=deps.policies)
    return RedirectResponse("/patrols/wanted?done=patrol-enough", 303)


@router.get("/patrols/log")
async def show_log(request: Request, user: SignedIn, deps: Deps, concern_id: UUID | None = None) -> Response:
    """The form, with the concern somebody comes from."""
    return await _form_page(request, user, deps, None, concern_id=concern_id)


async def _form_page(
    request: Request,
    user: User,
    deps: Dependencies,
    form: Form[PatrolForm] | None,
    *,
    concern_id: UUID | None = None,
    correcting: Patrol | None = None,
) -> Response:
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        wanted, _ = await patrolling.list_wanted(tx, by, 1, policy=deps.policies[user.force_id])
        names = await looking.names(tx, user.force_id)
    if form is None and correcting is not None:
        form = Form[PatrolForm](values=values_of(correcting))
    if form is None:
        chosen = [each for each in wanted if each.concern_id == concern_id]
        area = chosen[0].area_id if chosen else next((a.id for a in names.areas if a.team_id == by.team_id), "")
        form = Form[PatrolForm](
            values={
                "day": f"{london(now):%Y-%m-%d}",
                "area_id": area,
                "concern_ids": [str(id_) for id_ in wanted_of(wanted, concern_id)],
                "conversations": "0",
            }
        )
    return render(
        request,
        "patrols/log.html",
        422 if form.errors else 200,
        form=form,
        correcting=correcting,
        wanted=wanted,
        names=names,
        kinds=tuple(PatrolKind),
    )


@router.post("/patrols/log")
async def log(request: Request, user: SignedIn, deps: Deps) -> Response:
    """A patrol was made."""
    form = await _save(request, user, deps, None)
    return form if isinstance(form, Response) else await _form_page(request, user, deps, form)


async def _save(request: Request, user: User, deps: Dependencies, replaces: UUID | None) -> Response | Form[PatrolForm]:
    form = await forms.read(request, PatrolForm, PATROL_MESSAGES)
    said, form = await patrol_of(form, deps.place_of)
    if said is None:
        return form
    area_id = form.value("area_id") or None
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            command = LogPatrol(await person(tx, user), area_id, said, replaces)
            await patrolling.log_patrol(tx, command, deps.clock(), policies=deps.policies, locate=deps.registers.locate)
    except WrongField as refusal:
        return form.refused(*((FIELDS.get(name, name), text) for name, text in refusal.fields.items()))
    return RedirectResponse(f"/patrols?done={'patrol-corrected' if replaces else 'patrol-logged'}", 303)


@router.get("/patrols/{patrol_id}")
async def show_patrol(request: Request, patrol_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """One with what was heard."""
    found, by, names = await _look(patrol_id, user, deps)
    may_change = found.may_be_changed_by(by, deps.clock())
    return render(request, "patrols/patrol.html", patrol=found, names=names, may_change=may_change)


async def _look(patrol_id: UUID, user: User, deps: Dependencies) -> tuple[Patrol, Person, Names]:
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        found = await patrolling.look_at_patrol(tx, patrol_id, by, deps.clock())
        return found, by, await looking.names(tx, user.force_id)


@router.get("/patrols/{patrol_id}/correct")
async def show_correct(request: Request, patrol_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form with what was logged."""
    found, _, _ = await _look(patrol_id, user, deps)
    return await _form_page(request, user, deps, None, correcting=found)


@router.post("/patrols/{patrol_id}/correct")
async def correct(request: Request, patrol_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """It was otherwise: what was logged is taken back, and logged anew."""
    form = await _save(request, user, deps, patrol_id)
    if isinstance(form, Response):
        return form
    found, _, _ = await _look(patrol_id, user, deps)
    return await _form_page(request, user, deps, form, correcting=found)


@router.post("/patrols/{patrol_id}/withdraw")
async def withdraw(patrol_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """It was not so."""
    async with deps.database.transaction([user.force_id]) as tx:
        await patrolling.withdraw_patrol(tx, patrol_id, await person(tx, user), deps.clock())
    return RedirectResponse("/patrols?done=patrol-withdrawn", 303)
