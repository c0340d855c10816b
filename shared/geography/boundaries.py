"""Boundary files in, areas out: every shape on the British National Grid, valid, and known by its code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
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
    """Where a file keeps what we need: its property names carry a year (WD25CD) or a force's own habit."""

    area_id: str
    name: str
    team_id: str | None = None
    team_name: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """A neighbourhood area, in EPSG:27700. Its code is its key within the force; names repeat.

    A file without teams has one team an area, of the area's own code and name.
    """

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


def read_geojson(path: Path, names: PropertyNames, *, force_id: str, boundary_version: str) -> Boundaries:
    """The areas of a GeoJSON file. Raises BoundaryFileRefused or FeatureRefused; never leaves an area out."""
    try:
        collection = json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise BoundaryFileRefused(f"{path.name} cannot be read: {error}.") from error
    return areas_of(collection, names, force_id=force_id, boundary_version=boundary_version)


def areas_of(collection: Any, names: PropertyNames, *, force_id: str, boundary_version: str) -> Boundaries:
    """As read_geojson, from a GeoJSON FeatureCollection already parsed."""
    if not isinstance(collection, Mapping) or not isinstance(collection.get("features"), list):
        raise BoundaryFileRefused("A boundary file is a GeoJSON FeatureCollection.")
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
            boundary_version=boundary_version,
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
        shape = MultiPolygon([Polygon(_ring(part[0]), [_ring(hole) for hole in part[1:]]) for part in parts])
    except (KeyError, IndexError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise FeatureRefused(f"{called} has a ring that cannot be read: {error}.") from error
    if not on_grid:
        shape = shapely.transform(shape, _to_grid)
    coordinates = shapely.get_coordinates(shape)
    low, high = (EASTINGS[0], NORTHINGS[0]), (EASTINGS[1], NORTHINGS[1])
    # Written so that NaN, which no comparison holds for, is refused too.
    if not ((coordinates >= low) & (coordinates <= high)).all():
        raise FeatureRefused(f"{called} lies outside Great Britain, or has longitude and latitude swapped.")
    mended = None
    if not shape.is_valid:
        reason = shapely.is_valid_reason(shape)
        before = shape.area
        shape = _polygons(shapely.make_valid(shape, method="structure", keep_collapsed=False))
        mended = Mended(area_id, reason, abs(shape.area - before))
    if shape.is_empty or shape.area == 0:
        raise FeatureRefused(f"{called} encloses no ground.")
    return (shape.geoms[0] if len(shape.geoms) == 1 else shape), mended


def _ring(positions: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    # A third coordinate is a height (KML exports have them), of no use here.
    return [(float(position[0]), float(position[1])) for position in positions]


def _polygons(shape: BaseGeometry) -> MultiPolygon:
    parts = [part for part in shapely.get_parts(shape, return_index=False) if isinstance(part, Polygon)]
    return MultiPolygon(parts)


def _to_grid(coordinates: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.column_stack(many_from_wgs84(coordinates[:, 0], coordinates[:, 1]))
