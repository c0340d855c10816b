"""Letters that a person has to post."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.dependencies import Deps
from services.intake.domain.messages import Refuse
from services.intake.handlers.letters import letters_to_post, note_posted, open_letter
from services.intake.pages.card import asker_of
from services.intake.pages.told import KINDS
from shared.web.pages import render
from shared.web.session import User, current_user

router = APIRouter()

Staff = Annotated[User, Depends(current_user)]


@router.get("/staff/letters")
async def letters(request: Request, user: Staff, deps: Deps) -> Response:
    """The list: references alone."""
    async with deps.database.transaction([user.force_id]) as tx:
        waiting = await letters_to_post(tx, user.force_id, deps.clock())
    return render(request, "letters.html", letters=waiting, kinds=KINDS)


@router.post("/staff/letters/{message_id}/open")
async def letter(request: Request, message_id: UUID, user: Staff, deps: Deps) -> Response:
    """One letter, as it is to be printed. Opening it is logged, so it takes a post."""
    async with deps.database.transaction([user.force_id]) as tx:
        found = await open_letter(tx, asker_of(user), user.force_id, message_id, deps.clock(), keeping=deps.keeping)
    if isinstance(found, Refuse):
        return render(request, "letter.html", letter=None, refused=found.value, id=message_id)
    written = deps.words.email(found, deps.where_to_ask(user.force_id))
    return render(request, "letter.html", letter=found, written=written, id=message_id)


@router.post("/staff/letters/{message_id}/posted")
async def posted(message_id: UUID, user: Staff, deps: Deps) -> Response:
    """It is in the post."""
    async with deps.database.transaction([user.force_id]) as tx:
        await note_posted(tx, asker_of(user), user.force_id, message_id, deps.clock(), keeping=deps.keeping)
    return RedirectResponse("/staff/letters", 303)
