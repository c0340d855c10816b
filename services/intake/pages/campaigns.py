"""Which publicity brought requests, for coordinators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.intake.dependencies import Dependencies, Deps
from services.intake.handlers.campaigns import heard_by
from shared.campaigns import CampaignLink, campaign_links
from shared.web.pages import render
from shared.web.session import User, current_user
from shared.working_days import day

router = APIRouter()


def links_of(user: User, deps: Dependencies) -> tuple[CampaignLink, ...]:
    """The campaigns of the user's force."""
    return campaign_links(deps.policies[user.force_id], deps.where_to_ask(user.force_id))


@router.get("/staff/campaigns")
async def campaigns(request: Request, user: Annotated[User, Depends(current_user)], deps: Deps) -> Response:
    """Each campaign's link and QR code, and how many requests came by it since the beginning of last year."""
    policy, since = deps.policies[user.force_id], day(deps.clock()).year - 1
    async with deps.database.transaction([user.force_id]) as tx:
        heard = await heard_by(tx, user.force_id, [one.code for one in policy.campaigns], f"{since}-01")
    return render(
        request,
        "campaigns.html",
        links=links_of(user, deps),
        heard=heard,
        since=since,
    )


@router.get("/staff/campaigns/{code}/qr.svg")
async def qr_code(code: str, user: Annotated[User, Depends(current_user)], deps: Deps) -> Response:
    """The QR code of a campaign's link, to be shown or saved."""
    found = next((one for one in links_of(user, deps) if one.code == code), None)
    if found is None:
        raise HTTPException(404)
    saved_as = {"content-disposition": f'attachment; filename="{found.code}.svg"'}
    return Response(found.svg(), media_type="image/svg+xml", headers=saved_as)
