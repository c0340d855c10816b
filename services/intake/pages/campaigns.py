"""Which publicity brought requests, for coordinators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from services.intake.dependencies import Deps
from services.intake.handlers.campaigns import heard_by
from shared.web.pages import render
from shared.web.session import User, current_user
from shared.web.site import site_of
from shared.working_days import day

router = APIRouter()


@router.get("/staff/campaigns")
async def campaigns(request: Request, user: Annotated[User, Depends(current_user)], deps: Deps) -> Response:
    """Each campaign's link, and how many requests came by it since the beginning of last year."""
    policy, since = deps.policies[user.force_id], day(deps.clock()).year - 1
    async with deps.database.transaction([user.force_id]) as tx:
        heard = await heard_by(tx, user.force_id, [one.code for one in policy.campaigns], f"{since}-01")
    return render(
        request,
        "campaigns.html",
        policy=policy,
        heard=heard,
        since=since,
        start=f"{site_of(request).own_url}/{user.force_id}/",
    )
