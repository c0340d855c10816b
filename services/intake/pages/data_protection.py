"""For the data protection officer, who signs in as auditor: find a woman's requests, copy what is held, erase it."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, ValidationInfo, field_validator
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.dependencies import Dependencies, Deps
from services.intake.domain.requests import RequestState
from services.intake.domain.searching import LEAST, words_of
from services.intake.handlers import access, erasure
from services.intake.handlers.search import NOBODY, By, Looked, Search, all_of_hers, search
from services.intake.pages.paper import as_pdf, can_be_made
from shared.web import forms
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User, current_user

router = APIRouter()

Staff = Annotated[User, Depends(current_user)]
Reason = Annotated[str, Field(min_length=5, max_length=300)]

_HERE: Final = "/staff/data-protection"
STATES: Final = {
    RequestState.RECEIVED: "Received",
    RequestState.ROUTED: "With a neighbourhood team",
    RequestState.TAKEN: "With an officer",
    RequestState.ARRANGED: "Arranged",
    RequestState.COMPLETED: "The walk took place",
    RequestState.CANCELLED: "Cancelled",
    RequestState.WITHDRAWN: "Withdrawn",
}
_MESSAGES: Final = {
    "by": "Select what you search by",
    "text": "Enter what you search for",
    "reason": "Enter why you search, in five letters or more",
}
_REASON: Final = {"reason": "Enter the reason, in five letters or more", "kind": "Select how you want the copy"}


class Searched(BaseModel):
    """What is looked for and why. `after` is where a search by name goes on."""

    by: By
    text: Annotated[str, Field(max_length=254)]
    reason: Reason
    after: UUID = NOBODY

    @field_validator("text")
    @classmethod
    def _enough(cls, text: str, info: ValidationInfo) -> str:
        if info.data.get("by") == "name" and max((len(word) for word in words_of(text)), default=0) < LEAST:
            raise ValueError("Enter at least two letters of the name")
        return text


class Why(BaseModel):
    """Why a copy is made, or she is erased; kept in the log."""

    reason: Reason


class CopyAs(Why):
    """The same, and whether people or programs are to read it."""

    kind: Literal["pdf", "json"]


@router.get("/staff/data-protection")
async def ask(request: Request, user: Staff) -> Response:
    """What to look for."""
    return render(request, "data_protection/search.html", form=Form[Searched](), looked=None, states=STATES)


@router.post("/staff/data-protection")
async def look(request: Request, user: Staff, deps: Deps) -> Response:
    """What was found: references and dates. What was typed stands in no address, and the look is logged."""
    form = await forms.read(request, Searched, _MESSAGES)
    looked: Looked | None = None
    if (asked := form.data) is not None:
        wanted = Search(user.force_id, user.sub, asked.reason, asked.by, asked.text, asked.after)
        async with deps.database.transaction([user.force_id]) as tx:
            looked = await search(tx, wanted, deps.clock(), keeping=deps.keeping)
    status = 422 if form.data is None else 200
    return render(request, "data_protection/search.html", status, form=form, looked=looked, states=STATES)


@router.get("/staff/data-protection/requests/{request_id}")
async def one(request: Request, request_id: UUID, user: Staff, deps: Deps) -> Response:
    """One request: how far it has come, and what can be done."""
    return await _page(request, "request", request_id, user, deps, Form[CopyAs]())


@router.post("/staff/data-protection/requests/{request_id}/copy")
async def copy(request: Request, request_id: UUID, user: Staff, deps: Deps) -> Response:
    """All that is held about her, made now and kept nowhere."""
    form = await forms.read(request, CopyAs, _REASON)
    if form.data is None:
        return await _page(request, "request", request_id, user, deps, form)
    async with deps.database.transaction([user.force_id]) as tx:
        found = await access.copy_of_all(
            tx, user.force_id, request_id, user.sub, form.data.reason, deps.clock(), keeping=deps.keeping
        )
    if form.data.kind == "pdf":
        return await as_pdf(request, found, deps.policies[user.force_id])
    return as_file(found)


@router.get("/staff/data-protection/requests/{request_id}/erase")
async def ask_to_erase(request: Request, request_id: UUID, user: Staff, deps: Deps) -> Response:
    """What will be gone, and the question why."""
    return await _page(request, "erase", request_id, user, deps, Form[Why]())


@router.post("/staff/data-protection/requests/{request_id}/erase")
async def erase(request: Request, request_id: UUID, user: Staff, deps: Deps) -> Response:
    """All that is held about her goes, as if she had erased it herself."""
    form = await forms.read(request, Why, _REASON)
    if form.data is None:
        return await _page(request, "erase", request_id, user, deps, form)
    async with deps.database.transaction([user.force_id]) as tx:
        await erasure.erase(
            tx, user.force_id, request_id, user.sub, form.data.reason, deps.clock(), keeping=deps.keeping
        )
    return RedirectResponse(f"{_HERE}/erased", 303)


@router.get("/staff/data-protection/erased")
async def erased(request: Request, user: Staff) -> Response:
    """That it is done."""
    return render(request, "data_protection/erased.html")


def as_file(found: access.Copy) -> Response:
    """A copy for programs."""
    return Response(
        json.dumps(found, ensure_ascii=False, indent=2),
        media_type="application/json",
        # A name that says nothing in the list of what her phone has downloaded.
        headers={"Content-Disposition": 'attachment; filename="copy.json"', "Cache-Control": "no-store"},
    )


async def _page(
    request: Request, name: str, request_id: UUID, user: User, deps: Dependencies, form: Form[CopyAs] | Form[Why]
) -> Response:
    async with deps.database.transaction([user.force_id]) as tx:
        this, hers = await all_of_hers(tx, user.force_id, request_id)
    return render(
        request,
        f"data_protection/{name}.html",
        422 if form.errors else 200,
        form=form,
        this=this,
        hers=hers,
        states=STATES,
        here=f"{_HERE}/requests/{request_id}",
        on_paper=await asyncio.to_thread(can_be_made),
    )
