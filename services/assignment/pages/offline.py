"""The record's page where there is no signal: an empty form, and the worker that serves it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.assignment.dependencies import Deps, SignedIn
from services.assignment.forms.record import NoteForm
from services.assignment.handlers.walks import new_id
from services.assignment.pages.record import CHOICES
from shared.web.forms import Form
from shared.web.pages import render

router = APIRouter()


@router.get("/record/worker.js")
async def worker(request: Request) -> Response:
    """The service worker: for anybody, because browsers ask for it without saying who is signed in."""
    page = render(request, "record/worker.js")
    return Response(page.body, media_type="text/javascript")


@router.get("/record/offline")
async def offline(request: Request, user: SignedIn, deps: Deps) -> Response:
    """The form alone: nothing of any walk is on it, for it is kept on the device."""
    return render(
        request,
        "record/offline.html",
        noted=Form[NoteForm](),
        concern_id=new_id(),
        until=deps.session_ends(request),
        **CHOICES,
    )
