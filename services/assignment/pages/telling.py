"""How an officer or coordinator wants to be told of new and changed work."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment.dependencies import Deps, SignedIn, person
from services.assignment.domain import telling as choosing
from services.assignment.domain.telling import QuietHoursWrong, Rhythm
from services.assignment.forms.telling import TELLING_MESSAGES, TellingForm
from services.assignment.handlers import telling
from services.assignment.pages.notices import notice
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render

router = APIRouter()


@router.get("/telling")
async def show_telling(request: Request, user: SignedIn, deps: Deps) -> Response:
    """The form, with what stands."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        chosen = await telling.choice_of(tx, by)
    values = {"rhythm": Rhythm.NEVER.value, "email": (by.officer.email if by.officer else None) or ""}
    if chosen is not None:
        values = {"rhythm": chosen.rhythm.value, "email": chosen.email}
        for name, clock in (("quiet_from", chosen.quiet_from), ("quiet_to", chosen.quiet_to)):
            if clock is not None:
                values[name] = f"{clock:%H:%M}"
        if chosen.new_work:
            values["new_work"] = "yes"
    form = Form[TellingForm](values=values)
    return render(request, "telling.html", form=form, by=by, rhythms=tuple(Rhythm), notice=notice(request))


@router.post("/telling")
async def choose_telling(request: Request, user: SignedIn, deps: Deps) -> Response:
    """Keep the choice."""
    form = await forms.read(request, TellingForm, TELLING_MESSAGES)
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        if (given := form.data) is not None:
            try:
                chosen = choosing.choice(
                    user.force_id,
                    user.sub,
                    given.email,
                    given.rhythm,
                    given.quiet_from,
                    given.quiet_to,
                    new_work=given.new_work == "yes",
                    is_coordinator=by.is_coordinator,
                )
                await telling.choose(tx, chosen)
                return RedirectResponse("/telling?done=chosen", 303)
            except QuietHoursWrong as refusal:
                form = form.refused((refusal.field, refusal.message))
    return render(request, "telling.html", 422, form=form, by=by, rhythms=tuple(Rhythm))
