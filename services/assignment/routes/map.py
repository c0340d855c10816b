"""What the map of the record shows: the force's areas as lines, and what lies near a point."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.assignment.dependencies import Deps, SignedIn
from services.assignment.domain.refusals import PlaceMissing, PostcodeWrong
from shared.contracts.refusals import Refusal
from shared.geography.ground import LookOut

router = APIRouter(prefix="/api/v1")


class LookIn(BaseModel):
    """A postcode, or a point on the map."""

    model_config = ConfigDict(extra="forbid")

    postcode: Annotated[str, Field(max_length=64)] | None = None
    latitude: Annotated[float, Field(ge=49, le=61.5)] | None = None
    longitude: Annotated[float, Field(ge=-9, le=2.5)] | None = None


@router.get("/areas", response_class=Response, responses={200: {"content": {"application/geo+json": {}}}})
async def areas(user: SignedIn, deps: Deps) -> Response:
    """The neighbourhood areas of one's own force as lines; GeoJSON."""
    return Response((await deps.ground_of(user.force_id)).lines, media_type="application/geo+json")


@router.post("/places")
async def look(body: LookIn, user: SignedIn, deps: Deps) -> LookOut:
    """What lies near a point or a postcode. Nothing of it is kept."""
    ground = await deps.ground_of(user.force_id)
    try:
        if body.postcode is not None:
            point = await deps.place_of(body.postcode)
            return ground.look(point.latitude, point.longitude)
        if body.latitude is not None and body.longitude is not None:
            return ground.look(body.latitude, body.longitude)
    except Refusal as refusal:
        raise PostcodeWrong from refusal
    raise PlaceMissing
