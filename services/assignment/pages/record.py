"""The record of a walk while it is held: start, end, what is said of it as a whole, and each concern by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.assignment.dependencies import Dependencies, Deps, SignedIn, person
from services.assignment.domain.noting import Said
from services.assignment.domain.refusals import ConcernNotFound, NotAPhoto, WrongField
from services.assignment.forms.record import (
    NOTE_MESSAGES,
    RECORD_MESSAGES,
    NoteForm,
    RecordForm,
    record_of,
    said_of,
    values_of,
    values_of_record,
)
from services.assignment.handlers import noting
from services.assignment.handlers.noting import At, Note, OfConcern, Recorded, Say
from services.assignment.handlers.walks import new_id
from services.assignment.photos import cleaned
from shared.contracts.kinds import PartOfDay, Reason, Severity
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User

router = APIRouter()

CHOICES: dict[str, Any] = {
    "environment": tuple(reason for reason in Reason if not reason.is_behaviour),
    "behaviour": tuple(reason for reason in Reason if reason.is_behaviour),
    "parts": tuple(PartOfDay),
    "severities": tuple(Severity),
}
FIELDS = {"started_at": "start", "ended_at": "end"}
"""What a refusal names, as the form calls it."""
NOTICES = {
    "started": "The walk has started.",
    "ended": "The walk has ended. Check the record, then close the walk.",
    "said": "The record was saved.",
    "noted": "The concern was noted.",
    "changed": "The concern was changed.",
    "removed": "The concern was taken off the record.",
}


@router.get("/record/{walk_id}")
async def show_record(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The record of a walk, on a phone."""
    return await _record_page(request, walk_id, user, deps)


async def _look(walk_id: UUID, user: User, deps: Dependencies) -> Recorded:
    async with deps.database.transaction([user.force_id]) as tx:
        return await noting.look_at_record(tx, walk_id, await person(tx, user), deps.clock())


async def _record_page(
    request: Request,
    walk_id: UUID,
    user: User,
    deps: Dependencies,
    said: Form[RecordForm] | None = None,
    noted: Form[NoteForm] | None = None,
) -> Response:
    found = await _look(walk_id, user, deps)
    wrong = said or noted
    return render(
        request,
        "record/record.html",
        422 if wrong else 200,
        form=wrong or Form[RecordForm](),
        said=said or Form[RecordForm](values=values_of_record(found.record, found.walk)),
        noted=noted or Form[NoteForm](),
        found=found,
        walk=found.walk,
        record=found.record,
        concern_id=new_id(),
        policy=deps.policies[user.force_id],
        until=deps.session_ends(request),
        notice=NOTICES.get(request.query_params.get("done", "")),
        **CHOICES,
    )


def _back(walk_id: UUID, done: str) -> Response:
    return RedirectResponse(f"/record/{walk_id}?done={done}", 303)


@router.post("/record/{walk_id}")
async def say(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """What is said of the walk as a whole."""
    form = await forms.read(request, RecordForm, RECORD_MESSAGES)
    record, form = await record_of(form, deps.place_of)
    if record is not None:
        try:
            async with deps.database.transaction([user.force_id]) as tx:
                await noting.say(tx, Say(walk_id, await person(tx, user), record), deps.clock())
            return _back(walk_id, "said")
        except WrongField as refusal:
            form = form.refused((FIELDS.get(refusal.field, refusal.field), refusal.message))
    return await _record_page(request, walk_id, user, deps, said=form)


@router.post("/record/{walk_id}/start")
async def start(walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The walk begins."""
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        await noting.start_walk(tx, At(walk_id, await person(tx, user), now), now)
    return _back(walk_id, "started")


@router.post("/record/{walk_id}/end")
async def end(walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """The walk ends."""
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        await noting.end_walk(tx, At(walk_id, await person(tx, user), now), now)
    return _back(walk_id, "ended")


@router.post("/record/{walk_id}/concerns")
async def note(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """A concern is noted; sent twice by a second press it is one."""
    found = await _look(walk_id, user, deps)
    said, form = await _read_note(request, found, user, deps, None)
    if said is None:
        return await _record_page(request, walk_id, user, deps, noted=form)
    typed = str((await request.form()).get("concern_id", ""))
    try:
        concern_id = UUID(typed)
    except ValueError:
        concern_id = new_id()
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            await noting.note(tx, Note(walk_id, await person(tx, user), concern_id, said), deps.clock())
    except WrongField as refusal:
        return await _record_page(request, walk_id, user, deps, noted=form.refused((refusal.field, refusal.message)))
    return _back(walk_id, "noted")


@router.get("/record/{walk_id}/concerns/{concern_id}")
async def show_concern(request: Request, walk_id: UUID, concern_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """A concern, to be corrected."""
    said = _said(await _look(walk_id, user, deps), concern_id)
    return _concern_page(request, walk_id, concern_id, Form[NoteForm](values=values_of(said)), said, user, deps)


def _said(found: Recorded, concern_id: UUID) -> Said:
    for one in found.noted:
        if one.id == concern_id and one.said is not None:
            return one.said
    raise ConcernNotFound


def _concern_page(
    request: Request,
    walk_id: UUID,
    concern_id: UUID,
    form: Form[NoteForm],
    said: Said,
    user: User,
    deps: Dependencies,
) -> Response:
    return render(
        request,
        "record/concern.html",
        422 if form.errors else 200,
        form=form,
        walk_id=walk_id,
        concern_id=concern_id,
        said=said,
        policy=deps.policies[user.force_id],
        **CHOICES,
    )


@router.post("/record/{walk_id}/concerns/{concern_id}")
async def correct(request: Request, walk_id: UUID, concern_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """A concern is noted otherwise."""
    found = await _look(walk_id, user, deps)
    before = _said(found, concern_id)
    said, form = await _read_note(request, found, user, deps, before)
    if said is None:
        return _concern_page(request, walk_id, concern_id, form, before, user, deps)
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            await noting.correct(tx, Note(walk_id, await person(tx, user), concern_id, said), deps.clock())
    except WrongField as refusal:
        form = form.refused((refusal.field, refusal.message))
        return _concern_page(request, walk_id, concern_id, form, before, user, deps)
    return _back(walk_id, "changed")


@router.post("/record/{walk_id}/concerns/{concern_id}/remove")
async def remove(walk_id: UUID, concern_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """A concern is taken off the record."""
    async with deps.database.transaction([user.force_id]) as tx:
        await noting.remove(tx, OfConcern(walk_id, await person(tx, user), concern_id), deps.clock())
    return _back(walk_id, "removed")


async def _read_note(
    request: Request, found: Recorded, user: User, deps: Dependencies, before: Said | None
) -> tuple[Said | None, Form[NoteForm]]:
    """The form of a concern and its photograph, which is drawn anew and put into the store."""
    form = await forms.read(request, NoteForm, NOTE_MESSAGES)
    sent = (await request.form()).get("photo")
    photo = before.photo if before and form.value("photo_kept") else None
    if form.data is not None and isinstance(sent, UploadFile) and sent.size:
        try:
            drawn = await cleaned(await sent.read())
        except WrongField as refusal:
            return None, form.refused((refusal.field, refusal.message))
        photo = await deps.put_photo(user, found.walk.id, drawn)
    elif isinstance(sent, str) and sent:
        return None, form.refused(("photo", NotAPhoto().message))
    elsewhere = before.place if before else found.walk.place
    return await said_of(form, elsewhere, photo, deps.place_of)


@router.get("/record/{walk_id}/photos/{photo}")
async def show_photo(walk_id: UUID, photo: str, user: SignedIn, deps: Deps) -> Response:
    """A photograph of a concern of this walk."""
    async with deps.database.transaction([user.force_id]) as tx:
        await noting.look_at_photo(tx, walk_id, await person(tx, user), photo, deps.clock())
    return Response(await deps.attachments.get(user.force_id, photo), media_type="image/jpeg")
