"""What a map in the browser shows and is told: a force's areas as lines, and what lies near a point."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import shapely
from pydantic import BaseModel, ConfigDict, Field

from services.intake.domain.refusals import FieldsWrong
from services.intake.requesting import map_point, postcode_point
from shared.geography.areas import AreaIndex, Routed
from shared.geography.boundaries import Area
from shared.geography.grid import from_wgs84
from shared.geography.outlines import outlines
from shared.geography.postcodes import Nearby, Postcodes
from shared.wording import Text

NO_TEAM: Final = "No neighbourhood team of this force works there."
AROUND: Final = 40
WITHIN_M: Final = 800.0


class LookIn(BaseModel):
    """A postcode, or a point on the map."""

    model_config = ConfigDict(extra="forbid")

    postcode: Annotated[str, Field(max_length=64)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None


class NearbyPostcode(BaseModel):
    """A postcode and its middle."""

    postcode: str
    latitude: float
    longitude: float


class LookOut(BaseModel):
    """The point, and how people call where it is."""

    latitude: float
    longitude: float
    area: str | None = None
    """The neighbourhood area that covers it, or is the nearest within 200 metres."""
    around: tuple[NearbyPostcode, ...] = ()
    """The postcodes nearest to it, nearest first, within 800 metres."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One force's areas and postcodes."""

    lines: bytes
    """GeoJSON; nothing in it is about anybody."""
    index: AreaIndex | None
    nearby: Nearby | None

    @classmethod
    def of(cls, areas: Sequence[Area], postcodes: Postcodes) -> Ground:
        """A force that lists no areas has an empty map."""
        if not areas:
            return cls(b'{"type":"FeatureCollection","features":[]}', None, None)
        lines = json.dumps(outlines(areas), ensure_ascii=False, separators=(",", ":")).encode()
        box = shapely.total_bounds([area.geometry for area in areas])
        return cls(lines, AreaIndex.build(areas), postcodes.within(*box.tolist()))

    def teams_at(self, typed: str, postcodes: Postcodes) -> tuple[str, ...]:
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
            route = self.index.route(spot) if self.index else None
            if not isinstance(route, Routed):
                raise FieldsWrong({"teams": Text("Line %(number)d: %(fault)s", number=number, fault=NO_TEAM)})
            found[route.area.team_id] = None
        return tuple(found)

    def look(self, asked: LookIn, postcodes: Postcodes) -> LookOut:
        """What is there. Nothing of it is kept, and no address holds it.

        :raises FieldsWrong: there is no such place.
        """
        if asked.postcode is not None:
            point = postcode_point(asked.postcode, postcodes)
        elif asked.latitude is not None and asked.longitude is not None:
            point = map_point(asked.latitude, asked.longitude)
        else:
            raise FieldsWrong({"place": "Give a postcode, or a latitude and longitude"})
        spot = from_wgs84(longitude=point.longitude, latitude=point.latitude)
        route = self.index.route(spot) if self.index else None
        found = self.nearby.nearest(spot, AROUND, WITHIN_M) if self.nearby else []
        return LookOut(
            latitude=point.latitude,
            longitude=point.longitude,
            area=route.area.name if isinstance(route, Routed) else None,
            around=tuple(
                NearbyPostcode(postcode=one.postcode, latitude=round(latitude, 5), longitude=round(longitude, 5))
                for one in found
                for longitude, latitude in [one.point.to_wgs84()]
            ),
        )
