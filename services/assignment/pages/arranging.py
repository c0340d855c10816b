"""The forms for time and place, for times she may choose from, and for giving a walk up."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.assignment import wording
from services.assignment.dependencies import Deps, SignedIn, person
from services.assignment.domain.refusals import (
    AnswerTooLate,
    MeetingPlaceMissing,
    OfficerDoubleBooked,
    TimesWrong,
    WrongField,
)
from services.assignment.forms.arranging import ARRANGE_MESSAGES, ArrangeForm, CancelForm, ProposeForm, times_of
from services.assignment.forms.clock import NoSuchTime, moment
from services.assignment.handlers import arranging
from services.assignment.handlers.arranging import Arrange, Cancel, Propose
from services.assignment.pages.notices import back_to
from services.assignment.pages.suggestions import times_to_fill
from services.assignment.pages.walk import walk_in_hand
from shared.contracts.walks import MOST_TIMES
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.working_days import london

router = APIRouter()


@router.get("/walks/{walk_id}/arrange")
async def show_arrange(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form for time and meeting place."""
    walk, _ = await walk_in_hand(walk_id, user, deps)
    values: dict[str, str] = {}
    if walk.starts_at is not None:
        values = {
            "day": f"{london(walk.starts_at):%Y-%m-%d}",
            "clock": f"{london(walk.starts_at):%H:%M}",
            "meeting_place": walk.meeting_place or "",
        }
    return render(request, "arrange.html", form=Form[ArrangeForm](values=values), walk=walk)


@router.post("/walks/{walk_id}/arrange")
async def arrange(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Time and meeting place are agreed."""
    form = await forms.read(request, ArrangeForm, ARRANGE_MESSAGES)
    if form.data is not None:
        try:
            starts_at = moment(form.data.day, form.data.clock)
            async with deps.database.transaction([user.force_id]) as tx:
                command = Arrange(walk_id, await person(tx, user), starts_at, form.data.meeting_place)
                await arranging.arrange(tx, [command], deps.clock(), policies=deps.policies)
            return back_to(walk_id, "arranged")
        except MeetingPlaceMissing as refusal:
            form = form.refused(("meeting_place", refusal.message))
        except (WrongField, OfficerDoubleBooked, NoSuchTime) as refusal:
            form = form.refused(("clock", refusal.message))
    walk, _ = await walk_in_hand(walk_id, user, deps)
    return render(request, "arrange.html", 422, form=form, walk=walk)


@router.get("/walks/{walk_id}/propose")
async def show_propose(
    request: Request, walk_id: UUID, user: SignedIn, deps: Deps, fill: Literal["", "suggested"] = ""
) -> Response:
    """The form for times she may choose from, with those that are suggested where they are asked for."""
    walk, _ = await walk_in_hand(walk_id, user, deps)
    values: dict[str, str] = {}
    if walk.proposal is not None:
        values["meeting_place"] = walk.proposal.meeting_place
        for number, at in enumerate(walk.proposal.times, 1):
            values |= {f"day_{number}": f"{london(at):%Y-%m-%d}", f"clock_{number}": f"{london(at):%H:%M}"}
    notice = None
    if fill:
        async with deps.database.transaction([user.force_id]) as tx:
            times, notice = await times_to_fill(tx, walk, await person(tx, user), deps.clock(), deps)
        values = {name: value for name, value in values.items() if name == "meeting_place"} | times
    form = Form[ProposeForm](values=values)
    return render(request, "propose.html", form=form, walk=walk, most=MOST_TIMES, notice=notice)


@router.post("/walks/{walk_id}/propose")
async def propose(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Propose times to her."""
    form = await forms.read(request, ProposeForm, {"meeting_place": ARRANGE_MESSAGES["meeting_place"]})
    times, wrong = times_of(form.values)
    if form.data is None or wrong:
        form = form.refused(*wrong)
    else:
        try:
            async with deps.database.transaction([user.force_id]) as tx:
                command = Propose(walk_id, await person(tx, user), times, form.data.meeting_place)
                await arranging.propose(tx, [command], deps.clock(), policies=deps.policies)
            return back_to(walk_id, "proposed")
        except MeetingPlaceMissing as refusal:
            form = form.refused(("meeting_place", refusal.message))
        except (TimesWrong, AnswerTooLate, OfficerDoubleBooked) as refusal:
            form = form.refused(("day_1", refusal.message))
    walk, _ = await walk_in_hand(walk_id, user, deps)
    return render(request, "propose.html", 422, form=form, walk=walk, most=MOST_TIMES)


@router.get("/walks/{walk_id}/cancel")
async def show_cancel(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form for the reason."""
    walk, _ = await walk_in_hand(walk_id, user, deps)
    return render(request, "cancel.html", form=Form[CancelForm](), walk=walk, reasons=wording.CANCEL_REASONS)


@router.post("/walks/{walk_id}/cancel")
async def cancel(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The walk will not take place."""
    form = await forms.read(request, CancelForm, {"reason": "Select why the walk will not take place"})
    if form.data is None:
        walk, _ = await walk_in_hand(walk_id, user, deps)
        return render(request, "cancel.html", 422, form=form, walk=walk, reasons=wording.CANCEL_REASONS)
    async with deps.database.transaction([user.force_id]) as tx:
        command = Cancel(walk_id, await person(tx, user), form.data.reason)
        await arranging.cancel(tx, [command], deps.clock())
    return back_to(walk_id, "cancelled")
