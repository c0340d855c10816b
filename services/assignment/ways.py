"""Where she would like to pass, in words an officer can follow: place, area, how far and which way from the last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.assignment.domain.areas import Located
from shared.contracts.kinds import Point
from shared.geography.grid import from_wgs84

DIRECTIONS: Final = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True, slots=True)
class Stop:
    """A place on the way."""

    point: Point
    area_id: str | None
    """None outside all areas of the force."""
    onwards: str
    """From the place before, like "420 metres north-east"; empty for the first."""


def stops(route: Sequence[Point], located: Sequence[Located | None]) -> tuple[Stop, ...]:
    """The places of a way; `located` is where each belongs, in the same order."""
    before = [None, *route]
    return tuple(
        Stop(point, place.area_id if place else None, onwards(last, point) if last else "")
        for last, point, place in zip(before, route, located, strict=False)
    )


def onwards(start: Point, end: Point) -> str:
    """How far and which way in a straight line, to ten metres."""
    first, last = (from_wgs84(longitude=point.longitude, latitude=point.latitude) for point in (start, end))
    east, north = last.easting - first.easting, last.northing - first.northing
    metres = round(math.hypot(east, north), -1)
    if not metres:
        return "the same place"
    turn = round(math.degrees(math.atan2(east, north)) / 45) % len(DIRECTIONS)
    far = f"{metres:.0f} metres" if metres < 1000 else f"{metres / 1000:.1f} km"
    return f"{far} {DIRECTIONS[turn]}"
