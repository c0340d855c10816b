"""To which force a place belongs, by the boundary files of the forces that use the system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import shapely

from shared.contracts.kinds import Point
from shared.geography.areas import NEAREST_WITHIN_M
from shared.geography.boundaries import Area, BoundaryFileRefused, read_geojson
from shared.geography.grid import OutsideGreatBritain, from_wgs84

# An arc of the buffer lies at most six centimetres within the true one.
_ARCS = 32


class ForceGround:
    """The ground of each force that has a boundary file. One thread at a time may ask."""

    def __init__(self, areas: Mapping[str, Sequence[Area]]) -> None:
        """The areas of each force that lists any."""
        self.areas = {force: tuple(found) for force, found in sorted(areas.items())}
        # All areas of a force as one shape.
        self._whole = {force: shapely.union_all([one.geometry for one in found]) for force, found in self.areas.items()}
        # What a force takes on, as routing does: its areas, and 200 metres around them.
        self._taken_on = {force: shape.buffer(NEAREST_WITHIN_M, _ARCS) for force, shape in self._whole.items()}
        shapely.prepare(list(self._whole.values()))
        shapely.prepare(list(self._taken_on.values()))

    @classmethod
    def read(cls, folder: Path, forces: Sequence[str]) -> ForceGround:
        """Read `<force>/areas.geojson` of these forces; a force without one may have any place.

        :raises BoundaryFileRefused: a file cannot be used; which one, and why.
        """
        areas = {}
        for force in forces:
            path = folder / force / "areas.geojson"
            if path.exists():
                try:
                    areas[force] = read_geojson(path, force_id=force).areas
                except BoundaryFileRefused as fault:
                    raise BoundaryFileRefused(f"{path}: {fault.message}") from fault
        return cls(areas)

    def force_of(self, place: Point, asked: str) -> str | None:
        """The force for a walk there: the one asked where it can be, else one whose ground it is; None if nobody's
        that we know.

        A place up to 200 metres beyond the edge is still of the force asked, also where it is another's ground: a walk
        along the border is one walk, and the force asked would route it to its nearest area.
        """
        if asked not in self._whole:
            return asked
        try:
            at = from_wgs84(longitude=place.longitude, latitude=place.latitude)
        except OutsideGreatBritain:
            return None
        if shapely.contains_xy(self._taken_on[asked], at.easting, at.northing):
            return asked
        spot = shapely.Point(at.easting, at.northing)
        others = [force for force in self._whole if force != asked]
        near = {force: self._whole[force].distance(spot) for force in others if self._taken_on[force].covers(spot)}
        return min(near, key=lambda force: near[force], default=None)
