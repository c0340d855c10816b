"""Where a force asks for it: she confirms her request by the link or the code in her message; looking does nothing."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.dependencies import Deps, policy_of
from services.intake.domain.limits import Act
from services.intake.domain.refusals import LinkInvalid, RequestNotFound
from services.intake.handlers import confirming
from services.intake.pages.links import count_wrong
from shared.contracts.refusals import TooMany
from shared.web import forms
from shared.web.forms import Form
from shared.web.hosts import force_of_host
from shared.web.pages import render

router = APIRouter()

MESSAGES: Final = {
    "reference": "Enter the reference, like WT-7KF3-92QX",
    "code": "Enter the six figures from our message",
}
CODE_WRONG: Final = (
    "We cannot find a request to confirm with this reference and these figures. Check both, or use the link."
)


class Code(BaseModel):
    """What our message says."""

    reference: Annotated[str, Field(min_length=8, max_length=20)]
    code: Annotated[str, Field(pattern=r"^[0-9]{3} ?[0-9]{3}$")]


@router.get("/confirm/{token}")
async def ask(request: Request, token: str, deps: Deps) -> Response:
    """One button: programs that look at what is in messages follow links, and press nothing."""
    try:
        force_id, request_id = confirming.open_confirm_link(deps.keeping, token)
        if force_of_host(request) not in (None, force_id):
            raise LinkInvalid
        async with deps.database.transaction([force_id]) as tx:
            waits = await confirming.waits(tx, force_id, request_id)
    except (LinkInvalid, RequestNotFound):
        await count_wrong(request, deps)
        raise LinkInvalid from None
    policy = policy_of(force_id, deps)
    return render(request, "confirm.html", force_id=force_id, policy=policy, done=not waits, here=f"/confirm/{token}")


@router.post("/confirm/{token}")
async def confirm(request: Request, token: str, deps: Deps) -> Response:
    """She confirms."""
    try:
        force_id, request_id = confirming.open_confirm_link(deps.keeping, token)
        if force_of_host(request) not in (None, force_id):
            raise LinkInvalid
        async with deps.database.transaction([force_id]) as tx:
            await confirming.confirm(tx, force_id, request_id, deps.clock(), keeping=deps.keeping)
    except (LinkInvalid, RequestNotFound):
        await count_wrong(request, deps)
        raise LinkInvalid from None
    return RedirectResponse(f"/confirm/{token}", 303)


@router.get("/{force}/request/confirm")
async def ask_code(request: Request, force: str, deps: Deps) -> Response:
    """The form for reference and code."""
    return render(request, "code.html", force_id=force, policy=policy_of(force, deps), form=Form[Code](), done=False)


@router.post("/{force}/request/confirm")
async def take_code(request: Request, force: str, deps: Deps) -> Response:
    """She confirms by the code."""
    policy = policy_of(force, deps)
    form = await forms.read(request, Code, MESSAGES)
    status, headers = 422, {}
    if form.data is not None:
        given, now = form.data, deps.clock()
        reference, code = given.reference.strip().upper(), given.code.replace(" ", "")
        try:
            async with deps.database.transaction([force]) as tx:
                await deps.keeping.counting.take(tx, force, Act.WRONG_LINK, deps.callers.counted(request), now)
            async with deps.database.transaction([force]) as tx:
                right = await confirming.confirm_by_code(tx, force, reference, code, now, keeping=deps.keeping)
            if right:
                return render(request, "code.html", force_id=force, policy=policy, form=Form[Code](), done=True)
            form = form.refused(("code", CODE_WRONG))
        except TooMany as often:
            form, status, headers = form.refused(("code", often.message)), 429, {"Retry-After": str(often.seconds)}
    page = render(request, "code.html", status, force_id=force, policy=policy, form=form, done=False)
    page.headers.update(headers)
    return page
