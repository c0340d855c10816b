"""The JSON API: parse, one handler, refusals as problem+json."""

from __future__ import annotations

import hmac
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, Field

from services.intake import places
from services.intake.dependencies import Deps, policy_of
from services.intake.domain import refusals
from services.intake.domain.limits import Act
from services.intake.domain.receipts import Receipt
from services.intake.handlers.delivery import receive
from services.intake.handlers.requests import Keyed
from services.intake.handlers.retention import put_on_hold
from services.intake.places import LookIn
from services.intake.requesting import WalkRequestIn
from shared.bus.outbox import Thread
from shared.contracts.refusals import Refusal
from shared.geography.ground import LookOut
from shared.web.session import User, current_user

router = APIRouter(prefix="/api/v1")

REFUSALS: dict[type[Refusal], int] = {
    refusals.FieldsWrong: 422,
    refusals.KeyUsedForAnother: 422,
    refusals.RequestNotFound: 404,
    refusals.CardNotFound: 404,
    refusals.RequestErased: 410,
    refusals.OnHold: 409,
    refusals.LinkInvalid: 404,
    refusals.LetterGone: 404,
    refusals.TimesGone: 409,
    refusals.TooLateToChange: 409,
    refusals.ContactNotYours: 403,
    refusals.ContactStopped: 403,
}


class WalkRequestAccepted(BaseModel):
    """The request stands; its team will be found."""

    request_id: UUID
    reference: str


@router.post(
    "/walk-requests",
    status_code=201,
    responses={
        200: {"description": "The same request, sent before under the same key", "model": WalkRequestAccepted},
        429: {"description": "Too many from one address; Retry-After says in how many seconds to send it again"},
    },
)
async def request_walk(
    body: WalkRequestIn,
    idempotency_key: Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=200)],
    request: Request,
    response: Response,
    deps: Deps,
) -> WalkRequestAccepted:
    """Ask for a walk. Send the same Idempotency-Key again if no answer came: one request is made of it."""
    try:
        command = body.command(deps.policies, deps.postcodes, deps.force_ground)
        caller = deps.callers.counted(request)
        count = deps.keeping.counting.count(command.force_id, Act.REQUEST, caller, deps.clock())
        keyed = Keyed(command, idempotency_key, thread=Thread.current(), count=count)
        accepted = await deps.accept(command.force_id, keyed)
    except Refusal:
        deps.keeping.metrics.request("api", "refused")
        raise
    deps.keeping.metrics.request("api", "repeated" if accepted.repeated else "accepted")
    if accepted.repeated:
        response.status_code = 200
    return WalkRequestAccepted(request_id=accepted.request_id, reference=accepted.reference)


class ReceiptIn(BaseModel):
    """What GOV.UK Notify tells of a message, as far as it is of use: whom it went to is left unread."""

    reference: Annotated[str, Field(max_length=100)] | None = None
    status: Annotated[str, Field(max_length=40)]


@router.post("/forces/{force}/receipts", status_code=204, responses={404: {"description": "No such token"}})
async def take_receipt(
    force: str,
    body: ReceiptIn,
    deps: Deps,
    authorization: Annotated[str, Header(max_length=500)] = "",
) -> None:
    """What became of a message, told by GOV.UK Notify with the force's token. A receipt told twice is one."""
    account = deps.settings.notify.get(force)
    token = account.receipts_token.get_secret_value() if account and account.receipts_token else None
    if token is None or not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        raise refusals.LinkInvalid
    if body.reference is None or body.status not in set(Receipt):
        return
    async with deps.database.transaction([force]) as tx:
        await receive(tx, force, body.reference, Receipt(body.status), deps.clock(), keeping=deps.keeping)


@router.get(
    "/forces/{force}/areas", response_class=Response, responses={200: {"content": {"application/geo+json": {}}}}
)
async def areas(force: str, deps: Deps) -> Response:
    """The force's neighbourhood areas as lines, for a map; GeoJSON, the same for everybody."""
    policy_of(force, deps)
    lines = (await deps.ground_of(force)).lines
    return Response(lines, media_type="application/geo+json", headers={"cache-control": "public, max-age=86400"})


@router.post(
    "/forces/{force}/places",
    responses={429: {"description": "Too many from one address; Retry-After says in how many seconds to ask again"}},
)
async def look(force: str, body: LookIn, request: Request, deps: Deps) -> LookOut:
    """What lies near a point or a postcode. Asked in a body, because an address is logged; nothing of it is kept."""
    policy_of(force, deps)
    async with deps.database.transaction([force]) as tx:
        await deps.keeping.counting.take(tx, force, Act.MAP, deps.callers.counted(request), deps.clock())
    return places.look(await deps.ground_of(force), body, deps.postcodes)


class HoldIn(BaseModel):
    """Whether a request is kept from being erased, and why; the reason is kept with who said so."""

    on_hold: bool
    reason: Annotated[str, Field(min_length=5, max_length=300)]


@router.post("/requests/{request_id}/hold", status_code=204)
async def put_request_on_hold(
    request_id: UUID, body: HoldIn, user: Annotated[User, Depends(current_user)], deps: Deps
) -> None:
    """Keep a request from being erased, by her or by its age, while the law asks for it; or let it go again."""
    async with deps.database.transaction([user.force_id]) as tx:
        await put_on_hold(tx, user.force_id, request_id, body.on_hold, user.sub, body.reason, deps.clock())
