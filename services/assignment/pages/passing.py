"""Passing a walk on, logging attempts to reach her, and what a coordinator has to see to."""

from __future__ import annotations

import math
from typing import Final
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment.dependencies import Dependencies, Deps, Page, SignedIn, person
from services.assignment.domain.attempts import RequestUnknown, outcomes
from services.assignment.domain.passing import SameOfficer, SameTeam, What, WhyPassed
from services.assignment.domain.people import may_walk
from services.assignment.domain.refusals import (
    AreaUnknown,
    KindNotAllowed,
    NotOfThisTeam,
    NotOnRegister,
    NotTrained,
    OfficerDoubleBooked,
    OfficerExcluded,
    WalkNotFound,
    WrongField,
)
from services.assignment.domain.routing import nearby_teams
from services.assignment.forms.passing import ATTEMPT_MESSAGES, PASS_MESSAGES, AttemptForm, PassForm
from services.assignment.handlers import attempts, looking, passing
from services.assignment.handlers.attempts import Try
from services.assignment.handlers.passing import PassOn
from services.assignment.pages.notices import back_to
from services.assignment.routes.views import contact_url
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User

router = APIRouter()

TITLES: Final = {
    What.GIVEN_BACK: "Give this walk back",
    What.TO_OFFICER: "Hand this walk to another officer",
    What.TO_TEAM: "Hand this walk to another team",
    What.TO_COORDINATOR: "Ask a coordinator to see to this walk",
}
TO_SOMEBODY: Final = (What.TO_OFFICER, What.TO_TEAM)


@router.get("/walks/{walk_id}/pass-on/{what}")
async def show_pass_on(request: Request, walk_id: UUID, what: What, user: SignedIn, deps: Deps) -> Response:
    """The form for whom and why."""
    return await _pass_page(request, walk_id, what, user, deps, Form[PassForm]())


@router.post("/walks/{walk_id}/pass-on/{what}")
async def pass_on(request: Request, walk_id: UUID, what: What, user: SignedIn, deps: Deps) -> Response:
    """Pass the walk on."""
    form = await forms.read(request, PassForm, PASS_MESSAGES)
    if form.data is not None and what in TO_SOMEBODY and form.data.to is None:
        form = form.refused(("to", PASS_MESSAGES["to"]))
    if form.data is None:
        return await _pass_page(request, walk_id, what, user, deps, form)
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            by = await person(tx, user)
            command = PassOn(walk_id, by, what, form.data.why, form.data.to if what in TO_SOMEBODY else None)
            (walk,) = await passing.pass_on(tx, [command], deps.clock(), policies=deps.policies)
    except (
        AreaUnknown, KindNotAllowed, NotOfThisTeam, NotOnRegister, NotTrained, OfficerDoubleBooked, OfficerExcluded,
        SameOfficer, SameTeam,
    ) as refusal:  # fmt: skip
        return await _pass_page(request, walk_id, what, user, deps, form.refused(("to", refusal.message)))
    # Whoever handed it to a team they do not walk for may not look at it any more.
    return back_to(walk.id, "handed-on") if by.may_see(walk) else RedirectResponse("/?done=handed-on", 303)


async def _pass_page(
    request: Request, walk_id: UUID, what: What, user: User, deps: Dependencies, form: Form[PassForm]
) -> Response:
    if what not in TITLES:
        raise WalkNotFound
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        walk = await passing.walk_to_pass_on(tx, walk_id, by, what)
        names = await looking.names(tx, user.force_id)
    rules = deps.policies[user.force_id].walks
    choices: list[tuple[str, str]] = []
    if what is What.TO_OFFICER:
        choices = [
            (each.id, each.name)
            for each in names.officers
            if each.id != walk.officer_id and may_walk(each, walk, rules, now)
        ]
    elif what is What.TO_TEAM and walk.located is not None:
        own = walk.located.team_id
        near = deps.registers.near(user.force_id, walk.requests[0].route or (walk.place,), rules.nearby_teams_within_m)
        metres = {team.team_id: team.distance_m for team in nearby_teams(walk, near, rules)}
        others = [each for each in names.areas if each.team_id != own and not walk.excludes_team(each.team_id)]
        # Teams the force lets walk because she lives or works nearby come first, the nearest of them before all.
        others.sort(key=lambda area: metres.get(area.team_id, math.inf))
        choices = [
            (area.id, f"{area.name}: {names.team(area.team_id)}{_how_near(metres.get(area.team_id))}")
            for area in others
        ]
    return render(
        request,
        "pass_on.html",
        422 if form.errors else 200,
        form=form,
        walk=walk,
        what=what,
        titles=TITLES,
        choices=choices,
        to_somebody=what in TO_SOMEBODY,
        reasons=tuple(WhyPassed),
    )


def _how_near(metres: float | None) -> str:
    return "" if metres is None else f" ({metres:.0f} metres away)" if metres else " (her place or way)"


@router.get("/walks/{walk_id}/attempts/{request_id}")
async def show_attempts(request: Request, walk_id: UUID, request_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """How she may be reached, what was tried, and the form for an attempt."""
    return await _attempts_page(request, walk_id, request_id, user, deps, Form[AttemptForm]())


@router.post("/walks/{walk_id}/attempts/{request_id}")
async def log_attempt(request: Request, walk_id: UUID, request_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Log an attempt that was made just now."""
    form = await forms.read(request, AttemptForm, ATTEMPT_MESSAGES)
    if form.data is not None:
        try:
            async with deps.database.transaction([user.force_id]) as tx:
                command = Try(walk_id, await person(tx, user), request_id, form.data.way, form.data.outcome)
                await attempts.log_attempts(tx, [command], deps.clock())
            return back_to(walk_id, "tried")
        except RequestUnknown:
            raise WalkNotFound from None
        except WrongField as refusal:
            form = form.refused((refusal.field, refusal.message))
    return await _attempts_page(request, walk_id, request_id, user, deps, form)


async def _attempts_page(
    request: Request, walk_id: UUID, request_id: UUID, user: User, deps: Dependencies, form: Form[AttemptForm]
) -> Response:
    async with deps.database.transaction([user.force_id]) as tx:
        walk, made = await attempts.look_at_attempts(tx, walk_id, await person(tx, user), deps.clock())
        names = await looking.names(tx, user.force_id)
    asked = next((each for each in walk.requests if each.id == request_id), None)
    if asked is None:
        raise WalkNotFound
    return render(
        request,
        "attempts.html",
        422 if form.errors else 200,
        form=form,
        walk=walk,
        asked=asked,
        attempts=[each for each in made if each.request_id == request_id],
        outcomes=outcomes(asked.contact),
        names=names,
        contact_url=contact_url(deps, request_id),
    )


@router.get("/escalated")
async def escalated(request: Request, user: SignedIn, deps: Deps, page: Page = 1) -> Response:
    """Walks that a coordinator has to see to."""
    async with deps.database.transaction([user.force_id]) as tx:
        found, more = await passing.list_escalated(tx, await person(tx, user), page)
        names = await looking.names(tx, user.force_id)
    return render(request, "escalated.html", found=found, names=names, page=page, more=more, now=deps.clock())
