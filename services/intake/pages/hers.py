"""Her private page: what she sees and can do with the link from her message. Looking changes nothing."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.dependencies import Dependencies, Deps, policy_of
from services.intake.domain.limits import Act
from services.intake.domain.refusals import FieldsWrong, TimesGone, TooLateToChange
from services.intake.domain.standing import may_amend
from services.intake.form import changing
from services.intake.form.answers import spot_of
from services.intake.form.changing import Chosen, HowToReach, WhereAndWhen
from services.intake.form.fields import TWO_NUMBERS
from services.intake.handlers import hers, proposals
from services.intake.handlers.hers import Amendment, HerRequest
from services.intake.pages.form import later
from services.intake.pages.links import WrongLinks
from shared.contracts.kinds import Point
from shared.contracts.refusals import TooMany
from shared.contracts.walk_requests import Availability
from shared.web import forms
from shared.web.forms import Form
from shared.web.languages import spoken
from shared.web.pages import render
from shared.wording import Text

router = APIRouter(dependencies=[WrongLinks])

DONE: Final = {
    "answered": "Thank you. We have your answer.",
    "changed": "We have changed where and when you would like to walk. The team has been told.",
    "contact": "We have changed how we may contact you. It holds from now on.",
}


async def _look(token: str, deps: Dependencies) -> HerRequest:
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        return await hers.her_request(tx, request_id, keeping=deps.keeping)


def _show(
    request: Request, template: str, token: str, found: HerRequest, deps: Dependencies, status: int = 200, **given: Any
) -> Response:
    force_id = found.held.force_id
    return render(
        request,
        template,
        status,
        force_id=force_id,
        policy=policy_of(force_id, deps),
        found=found,
        reference=found.held.reference,
        state=found.held.state.value,
        stopped=found.rules.stopped,
        may_amend=may_amend(found.held.state),
        now=deps.clock(),
        here=f"/your-request/{token}",
        **given,
    )


def _back_to(token: str, done: str = "") -> Response:
    return RedirectResponse(f"/your-request/{token}" + (f"?done={done}" if done else ""), 303)


@router.get("/your-request/{token}")
async def your_request(request: Request, token: str, deps: Deps) -> Response:
    """How far her request has come, and what she can do. Looking changes nothing: mail scanners follow links."""
    found = await _look(token, deps)
    done = DONE.get(request.query_params.get("done", ""))
    return _show(request, "your_request.html", token, found, deps, form=Form[Chosen](), done=done)


@router.post("/your-request/{token}/answer")
async def answer(request: Request, token: str, deps: Deps) -> Response:
    """She chooses one of the proposed times, or none of them."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    form = await forms.read(request, Chosen, changing.CHOSEN)
    status = 422
    if form.data is not None:
        chosen, now = form.data, deps.clock()
        try:
            async with deps.database.transaction([force_id]) as tx:
                await proposals.answer(
                    tx, force_id, request_id, chosen.proposal, chosen.time, now, keeping=deps.keeping
                )
            return _back_to(token, "answered")
        except TimesGone as gone:
            form, status = form.refused(("", gone.message)), 409
    return _show(request, "your_request.html", token, await _look(token, deps), deps, status, form=form, done=None)


@router.get("/your-request/{token}/change")
async def show_change(request: Request, token: str, deps: Deps) -> Response:
    """The form for where and when."""
    found = await _look(token, deps)
    if not may_amend(found.held.state):
        return _back_to(token)
    form = Form[WhereAndWhen](values=changing.where_and_when(found.wanted))
    return _show(request, "your_request/change.html", token, found, deps, form=form, asked=changing.WHERE_AND_WHEN)


@router.post("/your-request/{token}/change")
async def change(request: Request, token: str, deps: Deps) -> Response:
    """She wants to walk elsewhere or at other times."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    form = await forms.read(request, WhereAndWhen, changing.MESSAGES)
    too_often: TooMany | None = None
    if form.data is not None:
        try:
            if form.data.postcode:
                await _count_look_up(request, force_id, deps)
            amendment = _amendment(form.data, force_id, deps)
            async with deps.database.transaction([force_id]) as tx:
                await hers.amend(tx, force_id, request_id, amendment, deps.clock(), keeping=deps.keeping)
            return _back_to(token, "changed")
        except FieldsWrong as wrong:
            form = form.refused(*((name.removeprefix("place."), text) for name, text in wrong.fields.items()))
        except TooLateToChange:
            return _back_to(token)
        except TooMany as often:
            form, too_often = form.refused(("postcode", often.message)), often
    found, asked = await _look(token, deps), changing.WHERE_AND_WHEN
    status = 429 if too_often else 422
    return later(
        _show(request, "your_request/change.html", token, found, deps, status, form=form, asked=asked), too_often
    )


async def _count_look_up(request: Request, force_id: str, deps: Dependencies) -> None:
    """:raises TooMany: too many postcodes were looked up from there."""
    async with deps.database.transaction([force_id]) as tx:
        caller = deps.callers.counted(request)
        await deps.keeping.counting.take(tx, force_id, Act.POSTCODE, caller, deps.clock())


def _amendment(given: WhereAndWhen, force_id: str, deps: Dependencies) -> Amendment:
    place = None
    if given.postcode:
        try:
            place = spot_of(given.postcode, deps.postcodes)
        except FieldsWrong as wrong:
            raise FieldsWrong({"place.postcode": next(iter(wrong.fields.values()))}) from None
        _refuse_elsewhere(place, force_id, deps)
    return Amendment(
        Availability(
            days=tuple(dict.fromkeys(given.days)), parts=tuple(dict.fromkeys(given.parts)), earliest=given.earliest
        ),
        None if given.group is None else given.group == "yes",
        place,
        TWO_NUMBERS.fullmatch(given.postcode) is None,
    )


def _refuse_elsewhere(place: Point, force_id: str, deps: Dependencies) -> None:
    """Her request stays with the force it was sent to, whose officers have it already.

    :raises FieldsWrong: the place is not of this force; whom to ask instead.
    """
    owner = deps.force_ground.force_of(place, force_id)
    if owner == force_id:
        return
    if owner is None:
        force = policy_of(force_id, deps).name
        told = Text("This place is not in the area of %(force)s. Call 101 and ask whose it is", force=force)
    else:
        told = Text(
            "This place is in the area of %(force)s. To walk there, ask for a walk at %(address)s",
            force=deps.policies[owner].in_language(spoken()).name,
            address=deps.where_to_ask(owner),
        )
    raise FieldsWrong({"place.postcode": told})


@router.get("/your-request/{token}/contact")
async def show_contact(request: Request, token: str, deps: Deps) -> Response:
    """The form for how she may be reached."""
    found = await _look(token, deps)
    if found.rules.stopped:
        return _back_to(token)
    form = Form[HowToReach](values=changing.how_to_reach(found.rules))
    return _show(request, "your_request/contact.html", token, found, deps, form=form, asked=changing.HOW_TO_REACH)


@router.post("/your-request/{token}/contact")
async def contact(request: Request, token: str, deps: Deps) -> Response:
    """She may be reached in another way from now on."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    form = await forms.read(request, HowToReach, changing.MESSAGES)
    too_often: TooMany | None = None
    if form.data is not None:
        try:
            if form.data.teams:
                await _count_look_up(request, force_id, deps)
            reach, now = form.data.reach(await deps.teams_at(force_id, form.data.teams)), deps.clock()
            async with deps.database.transaction([force_id]) as tx:
                await hers.change_contact(tx, force_id, request_id, reach, now, keeping=deps.keeping)
            return _back_to(token, "contact")
        except FieldsWrong as wrong:
            form = form.refused(*wrong.fields.items())
        except TooMany as often:
            form, too_often = form.refused(("teams", often.message)), often
    found, asked = await _look(token, deps), changing.HOW_TO_REACH
    status = 429 if too_often else 422
    return later(
        _show(request, "your_request/contact.html", token, found, deps, status, form=form, asked=asked), too_often
    )


@router.post("/your-request/{token}/withdraw")
async def withdraw(request: Request, token: str, deps: Deps) -> Response:
    """She no longer wants the walk."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        await hers.withdraw(tx, force_id, request_id, deps.clock())
    return _back_to(token)


@router.post("/your-request/{token}/stop")
async def stop(request: Request, token: str, deps: Deps) -> Response:
    """Contact is no longer safe."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        await hers.stop_contact(tx, force_id, request_id, deps.clock(), keeping=deps.keeping)
    return _back_to(token)
