"""What partners will see of each concern, just as they will; closing the walk; what was passed on, taken back."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment.dependencies import Dependencies, Deps, SignedIn, person
from services.assignment.domain.noting import seen
from services.assignment.domain.personal import hints, pieces
from services.assignment.domain.refusals import ConcernChanged, DisclosureNotOpened, DisclosureOpen, WrongField
from services.assignment.domain.walks import State
from services.assignment.forms.closing import CLOSING_MESSAGES, ClosingForm, looks_of
from services.assignment.handlers import noting
from services.assignment.handlers.noting import OfConcern, PassOn
from services.assignment.pages.notices import back_to
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User

router = APIRouter()


@router.get("/walks/{walk_id}/complete")
async def show_closing(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Each concern as partners will see it."""
    return await _closing_page(request, walk_id, user, deps, Form[ClosingForm]())


async def _closing_page(
    request: Request, walk_id: UUID, user: User, deps: Dependencies, form: Form[ClosingForm]
) -> Response:
    async with deps.database.transaction([user.force_id]) as tx:
        found, events = await noting.preview(tx, walk_id, await person(tx, user), deps.clock())
    return render(
        request,
        "record/closing.html",
        422 if form.errors else 200,
        form=form,
        walk=found.walk,
        record=found.record,
        events=events,
        looks={event.concern_id: seen(event) for event in events},
        hints={event.concern_id: hints(event.place_name, event.words) for event in events},
        pieces=pieces,
        closed=found.walk.state is State.COMPLETED,
    )


@router.post("/walks/{walk_id}/complete")
async def close(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Close the walk, and pass on the concerns that were looked at, each as it was seen."""
    form = await forms.read(request, ClosingForm, CLOSING_MESSAGES)
    if form.data is not None:
        disclosed = None if form.data.disclosed is None else form.data.disclosed == "yes"
        try:
            async with deps.database.transaction([user.force_id]) as tx:
                command = PassOn(walk_id, await person(tx, user), looks_of(form.data), disclosed)
                before = (await noting.look_at_record(tx, walk_id, command.by, deps.clock())).walk.state
                if before is not State.COMPLETED and disclosed is None:
                    form = form.refused(("disclosed", CLOSING_MESSAGES["disclosed"]))
                else:
                    await noting.pass_on(tx, command, deps.clock(), policies=deps.policies)
                    return back_to(walk_id, "passed-on" if before is State.COMPLETED else "recorded")
        except DisclosureNotOpened:
            return RedirectResponse(f"/walks/{walk_id}/disclose", 303)
        except DisclosureOpen:
            return back_to(walk_id, "disclosure-first")
        except ConcernChanged as refusal:
            form = Form[ClosingForm](errors=[("", refusal.message)])
        except WrongField as refusal:
            form = form.refused(("", refusal.message))
    return await _closing_page(request, walk_id, user, deps, form)


@router.post("/walks/{walk_id}/concerns/{concern_id}/withdraw")
async def withdraw(walk_id: UUID, concern_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Take a concern back."""
    async with deps.database.transaction([user.force_id]) as tx:
        await noting.withdraw(tx, OfConcern(walk_id, await person(tx, user), concern_id), deps.clock())
    return back_to(walk_id, "withdrawn")


@router.post("/walks/{walk_id}/concerns/{concern_id}/reopen")
async def reopen(walk_id: UUID, concern_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Say that a concern is not resolved."""
    async with deps.database.transaction([user.force_id]) as tx:
        await noting.reopen(tx, OfConcern(walk_id, await person(tx, user), concern_id), deps.clock())
    return back_to(walk_id, "reopened")
