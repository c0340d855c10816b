"""The contact card for staff."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.dependencies import Dependencies, Deps
from services.intake.domain.card import Asker
from services.intake.form.summary import rules_in_words, wishes_in_words
from services.intake.handlers.card import Card, note_spoken, open_contact, show_rules
from services.intake.pages.told import told_in_words
from shared.web import forms
from shared.web.access import Role
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User, current_user

router = APIRouter()

REASON: Final = {"reason": "Enter why you need to contact her"}
SPOKEN: Final = {"reason": "Enter how you spoke to her, and what she said about contact"}


class Why(BaseModel):
    """Why a member of staff needs to see who she is; kept in the log."""

    reason: Annotated[str, Field(min_length=5, max_length=300)]


def asker_of(user: User) -> Asker:
    """Who asks, as the domain knows staff."""
    return Asker(user.sub, user.team_id, Role.COORDINATOR in user.roles, Role.OFFICER in user.roles)


@router.get("/staff/requests/{request_id}/contact")
async def contact_rules(
    request: Request, request_id: UUID, user: Annotated[User, Depends(current_user)], deps: Deps
) -> Response:
    """Her rules first, and the question why."""
    async with deps.database.transaction([user.force_id]) as tx:
        card = await show_rules(tx, asker_of(user), request_id, deps.clock(), keeping=deps.keeping)
    return show_card(request, card, Form[Why](), deps)


@router.post("/staff/requests/{request_id}/contact")
async def contact_card(
    request: Request, request_id: UUID, user: Annotated[User, Depends(current_user)], deps: Deps
) -> Response:
    """Who she is and how to reach her. Opening it is logged, so it takes a post."""
    form = await forms.read(request, Why, REASON)
    async with deps.database.transaction([user.force_id]) as tx:
        if form.data is None:
            card = await show_rules(tx, asker_of(user), request_id, deps.clock(), keeping=deps.keeping)
        else:
            card = await open_contact(
                tx, asker_of(user), request_id, form.data.reason, deps.clock(), keeping=deps.keeping
            )
    return show_card(request, card, form, deps, 422 if form.data is None else 200)


@router.post("/staff/requests/{request_id}/spoken")
async def spoken(
    request: Request, request_id: UUID, user: Annotated[User, Depends(current_user)], deps: Deps
) -> Response:
    """The coordinator has spoken to her, though somebody with her address or number has stopped all contact."""
    form = await forms.read(request, Why, SPOKEN)
    async with deps.database.transaction([user.force_id]) as tx:
        if form.data is None:
            card = await show_rules(tx, asker_of(user), request_id, deps.clock(), keeping=deps.keeping)
            return show_card(request, card, Form[Why](), deps, 422, spoken=form)
        await note_spoken(tx, asker_of(user), request_id, form.data.reason, deps.clock(), keeping=deps.keeping)
    return RedirectResponse(f"/staff/requests/{request_id}/contact", 303)


def show_card(
    request: Request,
    card: Card,
    form: Form[Why],
    deps: Dependencies,
    status: int = 200,
    spoken: Form[Why] | None = None,
) -> Response:
    """The contact card, closed or open."""
    return render(
        request,
        "contact_card.html",
        status,
        card=card,
        rules=rules_in_words(card.rules),
        told=told_in_words(card.told),
        wishes=wishes_in_words(card.person.wishes) if card.person else [],
        form=form,
        spoken=spoken or Form[Why](),
        policy=deps.policies[card.held.force_id],
        here=f"/staff/requests/{card.held.id}",
    )
