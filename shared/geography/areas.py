"""Which neighbourhood area a place belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from shared.contracts.refusals import Refusal
from shared.geography.boundaries import Area
from shared.geography.cells import Cells
from shared.geography.grid import GridPoint, Metres

# Real postcodes in no ward (harbours, the Thames) are at most 129 metres from one; beyond this a person decides.
NEAREST_WITHIN_M: Final = 200.0


class NoAreas(Refusal):
    """An index of areas needs at least one area."""


class DuplicateArea(Refusal):
    """Two areas of one force have the same code."""


@dataclass(frozen=True, slots=True)
class Routed:
    """The area a place belongs to: it covers the place, or is the nearest to it, `distance_m` metres away."""

    area: Area
    how: Literal["covers", "nearest"]
    distance_m: float
    others: tuple[str, ...] = ()
    """Codes of the areas it could also have been, by precedence: they cover the place as well, are as near, or have
    some of the way."""
    share: float | None = None
    """Of a way: how much of it lies in the area, 0 to 1."""

    @property
    def force_id(self) -> str:
        return self.area.force_id

    @property
    def area_id(self) -> str:
        return self.area.area_id


@dataclass(frozen=True, slots=True)
class OutsideAllAreas:
    """No area covers the place and none is within reach: a person decides (triage)."""


Route = Routed | OutsideAllAreas

_OUTSIDE: Final = OutsideAllAreas()


class AreaIndex:
    """All areas in force, ready for many questions. Not changed once built; one thread at a time may ask."""

    def __init__(self, areas: Sequence[Area], nearest_within_m: float) -> None:
        """`areas` in order of precedence; use `build`."""
        self.areas = tuple(areas)
        self._nearest_within_m = nearest_within_m
        self._covered = [Routed(area, "covers", 0.0) for area in self.areas]
        self._shapes = np.asarray([area.geometry for area in self.areas], dtype=object)
        self._tree = shapely.STRtree(self._shapes)
        shapely.prepare(self._shapes)
        self._cells = Cells(self._shapes)

    @classmethod
    def build(cls, areas: Iterable[Area], *, nearest_within_m: float = NEAREST_WITHIN_M) -> AreaIndex:
        """Raises NoAreas and DuplicateArea (the same code in two forces is two areas)."""
        # The smallest area wins where several cover a place, then the lowest code: with the areas in that order
        # the winner is the lowest position.
        ranked = sorted(areas, key=lambda area: (area.geometry.area, area.area_id, area.force_id))
        if not ranked:
            raise NoAreas
        if len({(area.force_id, area.area_id) for area in ranked}) < len(ranked):
            raise DuplicateArea
        return cls(ranked, nearest_within_m)

    def route(self, point: GridPoint) -> Route:
        """The area the point belongs to; a point on a boundary belongs to both sides of it."""
        place = shapely.Point(point.easting, point.northing)
        # One look-up a call spends itself on the calls: plain methods are quicker here than arrays of one.
        found: list[int] = self._tree.query(place).tolist()
        covering = [position for position in found if self._shapes[position].covers(place)]
        if len(covering) == 1:
            return self._covered[covering[0]]
        return self.route_many(np.asarray([point.easting]), np.asarray([point.northing]))[0]

    def route_many(self, eastings: Metres, northings: Metres) -> list[Route]:
        """One answer a point, in their order; NaN is outside all areas."""
        first, rows, covering = self._covering(eastings, northings)
        routes: list[Route] = [self._covered[area] if area >= 0 else _OUTSIDE for area in first.tolist()]
        if len(rows) > np.count_nonzero(first >= 0):
            self._name_others(routes, first, rows, covering)
        missed = np.flatnonzero((first < 0) & np.isfinite(eastings) & np.isfinite(northings))
        if missed.size:
            near, distances = self._tree.query_nearest(
                shapely.points(eastings[missed], northings[missed]),
                max_distance=self._nearest_within_m,
                return_distance=True,
                all_matches=True,
            )
            # Ascending by point, then by precedence, so that writing backwards leaves the first of equals.
            for pair in np.lexsort((near[1], near[0]))[::-1].tolist():
                row, area = int(missed[near[0, pair]]), self.areas[int(near[1, pair])]
                behind = routes[row]
                others = (behind.area_id, *behind.others) if isinstance(behind, Routed) else ()
                routes[row] = Routed(area, "nearest", float(distances[pair]), others)
        return routes

    def route_along(self, points: Sequence[GridPoint]) -> Route:
        """The area most of a way from point to point lies in; where it is equal, the first by precedence.

        Where areas overlap the ground is counted for the one that wins there. A way outside all areas belongs to the
        one nearest to any of it. One point, or the same one again, is that place.
        """
        if all(point == points[0] for point in points[1:]):
            return self.route(points[0])
        line = shapely.LineString([(point.easting, point.northing) for point in points])
        left: BaseGeometry = line
        lengths: dict[int, float] = {}
        for position in sorted(self._tree.query(line, predicate="intersects").tolist()):
            within = float(shapely.intersection(left, self._shapes[position]).length)
            left = shapely.difference(left, self._shapes[position])
            if within > 0:
                lengths[position] = within
        if lengths:
            best = max(lengths, key=lambda position: (lengths[position], -position))
            others = tuple(self.areas[position].area_id for position in lengths if position != best)
            # A way walked twice over is one line on the ground: `left` has each metre once.
            whole = sum(lengths.values()) + float(left.length)
            return Routed(self.areas[best], "covers", 0.0, others, lengths[best] / whole)
        near, distances = self._tree.query_nearest(
            line, max_distance=self._nearest_within_m, return_distance=True, all_matches=True
        )
        if not near.size:
            return _OUTSIDE
        first, *rest = sorted(near.tolist())
        others = tuple(self.areas[position].area_id for position in rest)
        return Routed(self.areas[first], "nearest", float(distances[0]), others, 0.0)

    def near(self, points: Sequence[GridPoint], within_m: float) -> list[tuple[Area, float]]:
        """The areas within so many metres of a place, or of a way from point to point, nearest first.

        Those that cover it, or have some of it, come first, at no distance, by precedence.
        """
        if len(points) == 1:
            place: BaseGeometry = shapely.Point(points[0].easting, points[0].northing)
        else:
            place = shapely.LineString([(point.easting, point.northing) for point in points])
        positions = np.sort(self._tree.query(place, predicate="dwithin", distance=within_m))
        distances = shapely.distance(self._shapes[positions], place)
        order = np.argsort(distances, kind="stable")
        return [
            (self.areas[position], float(distances[at]))
            for at, position in zip(order, positions[order].tolist(), strict=True)
        ]

    def _name_others(
        self, routes: list[Route], first: NDArray[np.intp], rows: NDArray[np.intp], covering: NDArray[np.intp]
    ) -> None:
        """Where several areas cover a place, say which they are beside the one that has it."""
        several = np.flatnonzero(np.bincount(rows, minlength=len(first)) > 1)
        within = np.isin(rows, several)
        others: dict[int, list[int]] = {}
        for row, position in zip(rows[within].tolist(), covering[within].tolist(), strict=True):
            if position != first[row]:
                others.setdefault(row, []).append(position)
        for row, found in others.items():
            codes = tuple(self.areas[position].area_id for position in sorted(found))
            routes[row] = Routed(self.areas[first[row]], "covers", 0.0, codes)

    def _covering(
        self, eastings: Metres, northings: Metres
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """The first area that covers each place, -1 for none; and all pairs of a place and an area that covers it."""
        rows, covering = self._cells.covering(eastings, northings)
        first = np.full(len(eastings), -1, dtype=np.intp)
        # By place, then by precedence: of each place the first pair.
        begins = np.flatnonzero(np.diff(rows, prepend=-1))
        first[rows[begins]] = covering[begins]
        return first, rows, covering
