"""Her private page, further: what is held about her is erased at her wish."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.intake.dependencies import Deps, policy_of
from services.intake.handlers import erasure, hers
from services.intake.pages.links import WrongLinks
from shared.web.pages import render

router = APIRouter(dependencies=[WrongLinks])

REASON = "at her own wish, by her private link"


@router.get("/your-request/{token}/erase")
async def ask_to_erase(request: Request, token: str, deps: Deps) -> Response:
    """What will be gone and what stays, before she says yes."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        done = await erasure.is_erased(tx, force_id, request_id)
        if not done:
            await hers.her_request(tx, request_id, keeping=deps.keeping)
    return _page(request, force_id, token, deps, done=done)


@router.post("/your-request/{token}/erase")
async def erase(request: Request, token: str, deps: Deps) -> Response:
    """All that is held about her goes, here now and in the other services as soon as they hear of it."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        await erasure.erase(tx, force_id, request_id, "participant", REASON, deps.clock(), keeping=deps.keeping)
    return _page(request, force_id, token, deps, done=True)


def _page(request: Request, force_id: str, token: str, deps: Deps, *, done: bool) -> Response:
    return render(
        request,
        "erased.html" if done else "erase.html",
        force_id=force_id,
        policy=policy_of(force_id, deps),
        here=f"/your-request/{token}",
    )
