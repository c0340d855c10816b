"""Boundary files in, areas out: every shape on the British National Grid, valid, and known by its code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from shared.contracts.refusals import Refusal
from shared.geography.grid import EASTINGS, NORTHINGS, many_from_wgs84

# RFC 7946 files have no "crs" member and are in longitude and latitude; older ones and exports name theirs.
_WGS84_NAMES: Final = frozenset(
    {"urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326"}
)
_GRID_NAMES: Final = frozenset({"urn:ogc:def:crs:EPSG::27700", "EPSG:27700"})


class BoundaryFileRefused(Refusal):
    """The boundary file cannot be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def message(self) -> str:
        return self.reason


class FeatureRefused(BoundaryFileRefused):
    """A feature of the boundary file cannot be used; the reason names it by number, from 1, and code."""


@dataclass(frozen=True, slots=True)
class PropertyNames:
    """Where a file keeps what we need: its property names carry a year (WD25CD) or a force's own habit.

    None where a file has no such property: then every area has a team of its own, of the area's code and name, and
    whoever reads the file says which version of the boundaries it is.
    """

    area_id: str = "area_id"
    name: str = "name"
    team_id: str | None = "team_id"
    team_name: str | None = "team_name"
    boundary_version: str | None = "boundary_version"


OURS: Final = PropertyNames()


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """A neighbourhood area, in EPSG:27700. Its code is its key within the force; names repeat."""

    force_id: str
    area_id: str
    name: str
    team_id: str
    team_name: str
    boundary_version: str
    geometry: Polygon | MultiPolygon


@dataclass(frozen=True, slots=True)
class Mended:
    """An area whose shape was invalid, what was wrong, and by how many square metres mending changed it."""

    area_id: str
    reason: str
    change_m2: float


@dataclass(frozen=True, slots=True)
class Boundaries:
    """What a boundary file holds, in its order, and what had to be mended."""

    areas: tuple[Area, ...]
    mended: tuple[Mended, ...]


def read_geojson(
    path: Path, names: PropertyNames = OURS, *, force_id: str, boundary_version: str | None = None
) -> Boundaries:
    """The areas of a GeoJSON file. Raises BoundaryFileRefused or FeatureRefused; never leaves an area out."""
    try:
        collection = json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise BoundaryFileRefused(f"{path.name} cannot be read: {error}.") from error
    return areas_of(collection, names, force_id=force_id, boundary_version=boundary_version)


def areas_of(
    collection: Any, names: PropertyNames = OURS, *, force_id: str, boundary_version: str | None = None
) -> Boundaries:
    """As read_geojson, from a GeoJSON FeatureCollection already parsed."""
    if not isinstance(collection, Mapping) or not isinstance(collection.get("features"), list):
        raise BoundaryFileRefused("A boundary file is a GeoJSON FeatureCollection.")
    if boundary_version is None and names.boundary_version is None:
        raise BoundaryFileRefused("Say which version of the boundaries the file holds.")
    on_grid = _is_on_grid(collection.get("crs"))
    areas: dict[str, Area] = {}
    mended: list[Mended] = []
    for number, feature in enumerate(collection["features"], start=1):
        properties = feature.get("properties") if isinstance(feature, Mapping) else None
        if not isinstance(properties, Mapping):
            raise FeatureRefused(f"Feature {number} has no properties.")
        area_id = _text(properties, names.area_id, f"Feature {number}")
        called = f"Feature {number} ({area_id})"
        if area_id in areas:
            raise FeatureRefused(f"{called} has the code of an earlier feature.")
        name = _text(properties, names.name, called)
        geometry, mending = _shape(feature.get("geometry"), called, area_id, on_grid)
        if mending is not None:
            mended.append(mending)
        areas[area_id] = Area(
            force_id=force_id,
            area_id=area_id,
            name=name,
            team_id=_text(properties, names.team_id, called) if names.team_id else area_id,
            team_name=_text(properties, names.team_name, called) if names.team_name else name,
            boundary_version=boundary_version or _text(properties, names.boundary_version or "", called),
            geometry=geometry,
        )
    if not areas:
        raise BoundaryFileRefused("The boundary file holds no features.")
    return Boundaries(tuple(areas.values()), tuple(mended))


def _is_on_grid(crs: Any) -> bool:
    if crs is None:
        return False
    try:
        name = crs["properties"]["name"]
    except (TypeError, KeyError):
        name = crs
    if name in _GRID_NAMES:
        return True
    if name in _WGS84_NAMES:
        return False
    raise BoundaryFileRefused(f"The coordinates are in {name}. Use longitude and latitude (WGS 84) or EPSG:27700.")


def _text(properties: Mapping[str, Any], key: str, called: str) -> str:
    value = properties.get(key)
    text = str(value).strip() if isinstance(value, str | int) else ""
    if not text:
        raise FeatureRefused(f"{called} has no {key}.")
    return text


def _shape(geometry: Any, called: str, area_id: str, on_grid: bool) -> tuple[Polygon | MultiPolygon, Mended | None]:
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise FeatureRefused(f"{called} is not a polygon or a multipolygon but {kind or 'nothing'}.")
    try:
        parts = geometry["coordinates"] if kind == "MultiPolygon" else [geometry["coordinates"]]
        rings = [[_ring(ring, called, on_grid) for ring in part] for part in parts]
        shape = MultiPolygon([Polygon(part[0], part[1:]) for part in rings])
    except (KeyError, IndexError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise FeatureRefused(f"{called} has a ring that cannot be read: {error}.") from error
    mended = None
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape)
        before = shape.area
        shape = _polygons(shapely.make_valid(shape, method="structure", keep_collapsed=False))
        mended = Mended(area_id, reason, abs(shape.area - before))
    if shape.is_empty or shape.area == 0:
        raise FeatureRefused(f"{called} encloses no ground.")
    return (shape.geoms[0] if len(shape.geoms) == 1 else shape), mended


def _ring(positions: Sequence[Sequence[float]], called: str, on_grid: bool) -> NDArray[np.float64]:
    # A third coordinate is a height (KML exports have them), of no use here.
    east, north = np.asarray([(position[0], position[1]) for position in positions], dtype=np.float64).T
    if not on_grid:
        east, north = many_from_wgs84(east, north)
    # Written so that NaN, which no comparison holds for, is refused too.
    if not (
        ((east >= EASTINGS[0]) & (east <= EASTINGS[1])).all()
        and ((north >= NORTHINGS[0]) & (north <= NORTHINGS[1])).all()
    ):
        raise FeatureRefused(f"{called} lies outside Great Britain, or has longitude and latitude swapped.")
    return np.column_stack([east, north])


def _polygons(shape: BaseGeometry) -> MultiPolygon:
    return MultiPolygon([part for part in shapely.get_parts(shape) if isinstance(part, Polygon)])
