"""Her private page: what she can change with the link from her message."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.dependencies import Deps, policy_of
from services.intake.handlers import hers
from shared.web.pages import render

router = APIRouter()


@router.get("/your-request/{token}")
async def your_request(request: Request, token: str, deps: Deps) -> Response:
    """What she can change with the link from her message. Looking changes nothing: mail scanners follow links."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        held, stopped = await hers.her_request(tx, request_id, keeping=deps.keeping)
    return render(
        request,
        "your_request.html",
        force_id=force_id,
        policy=policy_of(force_id, deps),
        reference=held.reference,
        state=held.state.value,
        stopped=stopped,
        here=f"/your-request/{token}",
    )


@router.post("/your-request/{token}/withdraw")
async def withdraw(request: Request, token: str, deps: Deps) -> Response:
    """She no longer wants the walk."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        await hers.withdraw(tx, force_id, request_id, deps.clock())
    return RedirectResponse(f"/your-request/{token}", 303)


@router.post("/your-request/{token}/stop")
async def stop(request: Request, token: str, deps: Deps) -> Response:
    """Contact is no longer safe."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        await hers.stop_contact(tx, force_id, request_id, deps.clock(), keeping=deps.keeping)
    return RedirectResponse(f"/your-request/{token}", 303)
