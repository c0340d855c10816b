"""Follow-ups as other systems read and complete them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter

from services.assignment.dependencies import Deps, Page, SignedIn, person
from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers.follow_ups import CompleteFollowUp
from services.assignment.routes.bodies import CompleteFollowUpBody
from services.assignment.routes.views import FollowUpList, FollowUpView, follow_up_view

router = APIRouter(prefix="/api/v1")


@router.get("/follow-ups")
async def list_follow_ups(
    user: SignedIn, deps: Deps, state: Literal["open", "completed"] = "open", page: Page = 1
) -> FollowUpList:
    """Follow-ups, what is overdue first: an officer's own, a coordinator's force."""
    async with deps.database.transaction([user.force_id]) as tx:
        found, more = await following_up.list_follow_ups(tx, await person(tx, user), page, is_open=state == "open")
    now = deps.clock()
    return FollowUpList(follow_ups=tuple(follow_up_view(each, now) for each in found), page=page, more=more)


@router.post("/follow-ups/{follow_up_id}/complete")
async def complete_follow_up(
    follow_up_id: UUID, body: CompleteFollowUpBody, user: SignedIn, deps: Deps
) -> FollowUpView:
    """The call, visit or review has been made, or given up."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = CompleteFollowUp(follow_up_id, await person(tx, user), body.outcome)
        (done,) = await following_up.complete_follow_ups(tx, [command], deps.clock())
    return follow_up_view(done, deps.clock())
