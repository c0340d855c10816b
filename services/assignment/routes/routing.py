"""Where places belong, many in one call: by a point, a postcode or a way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints, model_validator

from services.assignment.dependencies import Dependencies, Deps, SignedIn
from services.assignment.domain.areas import Located
from services.assignment.routes.bodies import Body
from shared.contracts.kinds import Point
from shared.contracts.refusals import Refusal
from shared.contracts.walks import RoutedBy
from shared.geography.postcodes import NotAPostcode, PostcodeWithoutPlace, UnknownPostcode

router = APIRouter(prefix="/api/v1")

MOST = 5_000

Reason = Literal["outside-all-areas", "not-a-postcode", "unknown-postcode", "postcode-without-place"]


class Asked(Body):
    """One place: a point, a postcode, or a way of several points, which belongs where most of it lies."""

    point: Point | None = None
    postcode: Annotated[str, StringConstraints(max_length=64)] | None = None
    way: Annotated[tuple[Point, ...], Field(min_length=2, max_length=8)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Asked:
        if sum(one is not None for one in (self.point, self.postcode, self.way)) != 1:
            raise ValueError("needs a point, a postcode or a way, and one of them alone")
        return self


class RoutingBody(Body):
    """Up to 5,000 places."""

    places: Annotated[tuple[Asked, ...], Field(min_length=1, max_length=MOST)]


class Answer(BaseModel):
    """Where a place belongs and why; or, in `reason`, why nowhere: such a request goes to a coordinator."""

    area_id: str | None = None
    team_id: str | None = None
    boundary_version: str | None = None
    how: RoutedBy | None = None
    distance_m: float | None = None
    """How far outside the area it lies; 0 inside."""
    share: float | None = None
    """Of a way: how much of it lies in the area."""
    others: tuple[str, ...] = ()
    """Areas it could have been as well: they cover it too, are as near, or have some of the way."""
    reason: Reason | None = None


class Answers(BaseModel):
    """One for each place, in their order."""

    answers: tuple[Answer, ...]


@router.post("/routing")
async def route_places(body: RoutingBody, user: SignedIn, deps: Deps) -> Answers:
    """To which area and team of one's own force places belong, as requests would be routed. Nothing is kept of it."""
    ways = await _ways(body.places, deps)
    places = [way for way in ways if not isinstance(way, str)]
    located = iter(deps.registers.locate(user.force_id, places))
    return Answers(
        answers=tuple(Answer(reason=way) if isinstance(way, str) else _answer(next(located)) for way in ways)
    )


async def _ways(asked: Sequence[Asked], deps: Dependencies) -> list[Sequence[Point] | Reason]:
    typed = [one.postcode for one in asked if one.postcode is not None]
    found = iter(await deps.places_of(typed) if typed else ())
    ways: list[Sequence[Point] | Reason] = []
    for one in asked:
        if one.point is not None:
            ways.append((one.point,))
        elif one.way is not None:
            ways.append(one.way)
        else:
            place = next(found)
            ways.append(_why_not(place) if isinstance(place, Refusal) else (place,))
    return ways


def _why_not(refusal: Refusal) -> Reason:
    match refusal:
        case NotAPostcode():
            return "not-a-postcode"
        case PostcodeWithoutPlace():
            return "postcode-without-place"
        case UnknownPostcode():
            return "unknown-postcode"
        case _:
            raise refusal


def _answer(located: Located | None) -> Answer:
    if located is None:
        return Answer(reason="outside-all-areas")
    return Answer(
        area_id=located.area_id,
        team_id=located.team_id,
        boundary_version=located.boundary_version,
        how=located.how,
        distance_m=located.distance_m,
        share=located.share,
        others=located.others,
    )
