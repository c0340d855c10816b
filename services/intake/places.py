"""What she is told of a place she looks at on the map, and whose teams work where."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.intake.domain.refusals import FieldsWrong
from services.intake.requesting import map_point, postcode_point
from shared.geography.areas import Routed
from shared.geography.grid import from_wgs84
from shared.geography.ground import Ground, LookOut
from shared.geography.postcodes import Postcodes
from shared.wording import Text

NO_TEAM: Final = "No neighbourhood team of this force works there."


class LookIn(BaseModel):
    """A postcode, or a point on the map."""

    model_config = ConfigDict(extra="forbid")

    postcode: Annotated[str, Field(max_length=64)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None


def teams_at(ground: Ground, typed: str, postcodes: Postcodes) -> tuple[str, ...]:
    """The teams whose areas these postcodes lie in, one on each line; each team once.

    :raises FieldsWrong: a postcode cannot be found, or no team of this force works there.
    """
    found: dict[str, None] = {}
    for number, line in enumerate(filter(None, map(str.strip, typed.splitlines())), 1):
        try:
            point = postcode_point(line, postcodes)
        except FieldsWrong as wrong:
            fault = next(iter(wrong.fields.values()))
            raise FieldsWrong({"teams": Text("Line %(number)d: %(fault)s", number=number, fault=fault)}) from None
        spot = from_wgs84(longitude=point.longitude, latitude=point.latitude)
        route = ground.index.route(spot) if ground.index else None
        if not isinstance(route, Routed):
            raise FieldsWrong({"teams": Text("Line %(number)d: %(fault)s", number=number, fault=NO_TEAM)})
        found[route.area.team_id] = None
    return tuple(found)


def look(ground: Ground, asked: LookIn, postcodes: Postcodes) -> LookOut:
    """What is there. Nothing of it is kept, and no address holds it.

    :raises FieldsWrong: there is no such place.
    """
    if asked.postcode is not None:
        point = postcode_point(asked.postcode, postcodes)
    elif asked.latitude is not None and asked.longitude is not None:
        point = map_point(asked.latitude, asked.longitude)
    else:
        raise FieldsWrong({"place": "Give a postcode, or a latitude and longitude"})
    return ground.look(point.latitude, point.longitude)
