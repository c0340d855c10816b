"""What a map of a force shows without tiles: its areas as lines, and the postcodes around a point."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import shapely
from pydantic import BaseModel

from shared.geography.areas import AreaIndex, Routed
from shared.geography.boundaries import Area
from shared.geography.grid import from_wgs84
from shared.geography.outlines import outlines
from shared.geography.postcodes import Nearby, Postcodes

AROUND: Final = 40
WITHIN_M: Final = 800.0


class NearbyPostcode(BaseModel):
    """A postcode and its middle."""

    postcode: str
    latitude: float
    longitude: float


class LookOut(BaseModel):
    """A point, and how people call where it is."""

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

    def look(self, latitude: float, longitude: float) -> LookOut:
        """What lies at and around a point. Nothing of it is kept.

        :raises OutsideGreatBritain:
        """
        spot = from_wgs84(longitude=longitude, latitude=latitude)
        route = self.index.route(spot) if self.index else None
        found = self.nearby.nearest(spot, AROUND, WITHIN_M) if self.nearby else []
        return LookOut(
            latitude=latitude,
            longitude=longitude,
            area=route.area.name if isinstance(route, Routed) else None,
            around=tuple(
                NearbyPostcode(postcode=one.postcode, latitude=round(latitude, 5), longitude=round(longitude, 5))
                for one in found
                for longitude, latitude in [one.point.to_wgs84()]
            ),
        )
