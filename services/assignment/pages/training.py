"""Training, for coordinators: sessions, who was there, and who still needs one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment.dependencies import Dependencies, Deps, Page, SignedIn, person
from services.assignment.domain.refusals import OfficerNotFound, SessionNotHeld, SessionWrong
from services.assignment.domain.training import TrainingWay, session
from services.assignment.forms.people import SESSION_MESSAGES, AttendanceForm, SessionForm
from services.assignment.handlers import training
from services.assignment.pages.notices import notice
from shared.contracts.kinds import TrainingTopic
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User
from shared.working_days import day

router = APIRouter()

Text = Annotated[str, Query(max_length=200)]


@router.get("/training")
async def show_training(
    request: Request, user: SignedIn, deps: Deps, page: Page = 1, sessions_page: Page = 1
) -> Response:
    """Who still needs a session, and the sessions there were."""
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        officers, more = await training.to_train(tx, by, page, now, policies=deps.policies)
        sessions, more_sessions = await training.list_sessions(tx, by, sessions_page)
    return render(
        request,
        "training.html",
        officers=officers,
        sessions=sessions,
        rules=deps.policies[user.force_id].training,
        today=day(now),
        page=page,
        more=more,
        sessions_page=sessions_page,
        more_sessions=more_sessions,
        notice=notice(request),
    )


@router.get("/training/new")
async def show_new_session(request: Request, user: SignedIn, deps: Deps) -> Response:
    """The form for a session."""
    async with deps.database.transaction([user.force_id]) as tx:
        await person(tx, user)
    values = {"covers": [each.value for each in TrainingTopic]}
    return _session_form(request, Form[SessionForm](values=values))


def _session_form(request: Request, form: Form[SessionForm]) -> Response:
    return render(
        request,
        "training_new.html",
        422 if form.errors else 200,
        form=form,
        ways=tuple(TrainingWay),
        topics=tuple(TrainingTopic),
    )


@router.post("/training/new")
async def add_session(request: Request, user: SignedIn, deps: Deps) -> Response:
    """A session."""
    form = await forms.read(request, SessionForm, SESSION_MESSAGES)
    if form.data is None:
        return _session_form(request, form)
    data = form.data
    try:
        made = session(user.force_id, uuid4(), data.held_on, data.way, data.name, data.covers)
        async with deps.database.transaction([user.force_id]) as tx:
            await training.record_session(tx, await person(tx, user), made, deps.clock())
    except SessionWrong as refusal:
        return _session_form(request, form.refused((refusal.field, refusal.message)))
    return RedirectResponse(f"/training/{made.id}?done=session", 303)


@router.get("/training/{session_id}")
async def show_session(
    request: Request, session_id: UUID, user: SignedIn, deps: Deps, q: Text = "", page: Page = 1
) -> Response:
    """A session, and the register to tick who was there."""
    return await _session_page(request, session_id, user, deps, q, page, Form[AttendanceForm]())


@router.post("/training/{session_id}")
async def tick(
    request: Request, session_id: UUID, user: SignedIn, deps: Deps, q: Text = "", page: Page = 1
) -> Response:
    """Of those the page showed, who was there and who was not."""
    form = await forms.read(request, AttendanceForm)
    if form.data is not None:
        shown, came = set(form.data.shown), set(form.data.came)
        try:
            async with deps.database.transaction([user.force_id]) as tx:
                by = await person(tx, user)
                await training.tick(tx, by, session_id, came, shown - came, deps.clock(), policies=deps.policies)
            return RedirectResponse(f"/training/{session_id}?done=attendance", 303)
        except (SessionNotHeld, OfficerNotFound) as refusal:
            form = form.refused(("", refusal.message))
    return await _session_page(request, session_id, user, deps, q, page, form)


async def _session_page(
    request: Request,
    session_id: UUID,
    user: User,
    deps: Dependencies,
    q: str,
    page: int,
    form: Form[AttendanceForm],
) -> Response:
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        looked = await training.look_at_session(tx, by, session_id, q.strip(), page)
    return render(
        request,
        "training_session.html",
        422 if form.errors else 200,
        form=form,
        looked=looked,
        held=looked.session.held_on <= day(now),
        q=q,
        page=page,
        notice=notice(request),
    )
