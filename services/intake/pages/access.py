"""Her private page, further: a copy of what is held about her."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.intake.dependencies import Deps, policy_of
from services.intake.handlers import access, hers
from services.intake.pages.data_protection import as_file
from services.intake.pages.links import WrongLinks
from services.intake.pages.paper import as_pdf, can_be_made
from shared.web.pages import render

router = APIRouter(dependencies=[WrongLinks])

REASON = "a copy of what is held, by her private link"


@router.get("/your-request/{token}/copy")
async def ask_for_a_copy(request: Request, token: str, deps: Deps) -> Response:
    """What the copy holds, and that somebody else who opens it reads it too."""
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        await hers.her_request(tx, request_id, keeping=deps.keeping)
    here = f"/your-request/{token}"
    on_paper = await asyncio.to_thread(can_be_made)
    policy = policy_of(force_id, deps)
    return render(request, "copy.html", force_id=force_id, policy=policy, here=here, on_paper=on_paper)


@router.post("/your-request/{token}/copy")
async def copy(request: Request, token: str, deps: Deps) -> Response:
    """The copy, made now and kept nowhere. That it was made is logged, so it takes a post."""
    kind = (await request.form()).get("kind")
    force_id, request_id = hers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        found = await access.copy_of_all(
            tx, force_id, request_id, "participant", REASON, deps.clock(), keeping=deps.keeping
        )
    if kind == "pdf":
        return await as_pdf(request, found, policy_of(force_id, deps))
    return as_file(found)
