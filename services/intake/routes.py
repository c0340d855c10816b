"""The JSON API: parse, one handler, refusals as problem+json."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel

from services.intake import domain, handlers
from services.intake.dependencies import Dependencies, dependencies
from services.intake.requesting import WalkRequestIn
from shared.bus.outbox import Thread
from shared.contracts.refusals import Refusal

router = APIRouter(prefix="/api/v1")

REFUSALS: dict[type[Refusal], int] = {
    domain.FieldsWrong: 422,
    domain.KeyUsedForAnother: 422,
    domain.RequestNotFound: 404,
    domain.LinkInvalid: 404,
    domain.ContactNotYours: 403,
    domain.ContactStopped: 403,
}


class WalkRequestAccepted(BaseModel):
    """The request stands; its team will be found."""

    request_id: UUID
    reference: str


@router.post(
    "/walk-requests",
    status_code=201,
    responses={200: {"description": "The same request, sent before under the same key", "model": WalkRequestAccepted}},
)
async def request_walk(
    body: WalkRequestIn,
    idempotency_key: Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=200)],
    response: Response,
    deps: Annotated[Dependencies, Depends(dependencies)],
) -> WalkRequestAccepted:
    """Ask for a walk. Send the same Idempotency-Key again if no answer came: one request is made of it."""
    try:
        command = body.command(deps.policies, deps.postcodes)
        keyed = handlers.Keyed(command, idempotency_key, thread=Thread.current())
        accepted = await deps.accept(command.force_id, keyed)
    except Refusal:
        deps.keeping.metrics.request("api", "refused")
        raise
    deps.keeping.metrics.request("api", "repeated" if accepted.repeated else "accepted")
    if accepted.repeated:
        response.status_code = 200
    return WalkRequestAccepted(request_id=accepted.request_id, reference=accepted.reference)
