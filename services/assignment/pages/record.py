"""The form for a walk that was held, its concerns, and the look at what partners will see."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.assignment.dependencies import Dependencies, Deps, SignedIn, person
from services.assignment.domain import personal
from services.assignment.domain.refusals import EndsBeforeStart, EndsInTheFuture, WalkTooShort
from services.assignment.domain.walks import Walk
from services.assignment.forms.clock import NoSuchTime, moment
from services.assignment.forms.record import COMPLETE_MESSAGES, MOST_CONCERNS, CompleteForm, concerns_of, how_many
from services.assignment.handlers import record as recording
from services.assignment.handlers.record import Complete
from services.assignment.pages.notices import back_to
from services.assignment.pages.walk import walk_in_hand
from shared.contracts.kinds import PartOfDay, Reason, Severity
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.working_days import london

router = APIRouter()


@router.get("/walks/{walk_id}/complete")
async def show_complete(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The form to record the walk."""
    walk, _ = await walk_in_hand(walk_id, user, deps)
    values: dict[str, str] = {"many": "1"}
    if walk.starts_at is not None and walk.starts_at <= deps.clock():
        values |= {
            "day": f"{london(walk.starts_at):%Y-%m-%d}",
            "start": f"{london(walk.starts_at):%H:%M}",
        }
    return _complete_page(request, walk, Form[CompleteForm](values=values), deps)


def _complete_page(
    request: Request, walk: Walk, form: Form[CompleteForm], deps: Dependencies, many: int | None = None
) -> Response:
    return render(
        request,
        "complete.html",
        422 if form.errors else 200,
        form=form,
        walk=walk,
        many=many or how_many(form.values),
        most=MOST_CONCERNS,
        categories=tuple(Reason),
        parts=tuple(PartOfDay),
        severities=tuple(Severity),
        minimum_minutes=deps.policies[walk.force_id].walks.minimum_minutes,
    )


@router.post("/walks/{walk_id}/complete")
async def complete(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Another concern, a look at what partners will see, or the record itself, by the button that was pressed."""
    form = await forms.read(request, CompleteForm, COMPLETE_MESSAGES)
    do = form.value("do")
    walk, _ = await walk_in_hand(walk_id, user, deps)
    if do in ("add", "change"):
        unjudged = Form[CompleteForm](values=form.values)
        many = how_many(form.values) + (1 if do == "add" else 0)
        return _complete_page(request, walk, unjudged, deps, min(many, MOST_CONCERNS))
    recorded, wrong = await concerns_of(form, walk.place, deps.place_of)
    if form.data is None or wrong:
        return _complete_page(request, walk, form.refused(*wrong), deps)
    try:
        started_at = moment(form.data.day, form.data.start)
        ended_at = moment(form.data.day, form.data.end)
        async with deps.database.transaction([user.force_id]) as tx:
            by = await person(tx, user)
            command = Complete(walk_id, by, started_at, ended_at, form.data.streetsafe == "yes", recorded)
            if do == "record":
                await recording.complete(tx, [command], deps.clock(), policies=deps.policies)
                return back_to(walk_id, "recorded")
            preview = await recording.preview(tx, command, deps.clock(), policies=deps.policies)
    except (EndsBeforeStart, EndsInTheFuture, WalkTooShort) as refusal:
        return _complete_page(request, walk, form.refused(("end", refusal.message)), deps)
    except NoSuchTime as refusal:
        return _complete_page(request, walk, form.refused(("start", refusal.message)), deps)
    return render(
        request,
        "check.html",
        walk=walk,
        form=form,
        preview=preview,
        hints={concern.id: personal.hints(concern.place_name, concern.words) for concern in preview.concerns},
        hidden=sorted((name, value) for name, value in form.values.items() if isinstance(value, str) and name != "do"),
    )
