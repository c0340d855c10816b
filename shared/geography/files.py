"""The forms in which a force gets boundaries from others, read as one: GeoJSON, TopoJSON, KML, data.police.uk's API.

What a file calls its properties is found out or told, never fixed: names carry a year (WD25CD) or a force's own habit.
"""

from __future__ import annotations

import html
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import shapely

from shared.geography.boundaries import (
    OURS,
    Area,
    Boundaries,
    BoundaryFileRefused,
    FeatureRefused,
    Mended,
    PropertyNames,
    areas_of,
)

Step = Callable[[str, int, int], None]
"""Told of long work: what is done, how many are done, of how many."""

ENDINGS: Final = (".geojson", ".json", ".topojson", ".kml", ".gpkg", ".zip")
_BY_GDAL: Final = (".kml", ".topojson", ".gpkg", ".zip")
_LIST: Final = "neighbourhoods.json"
_ONE_AN_AREA: Final = PropertyNames("code", "name", team_id=None, team_name=None, boundary_version=None)
# WD25CD and WD25NM: what it is, the year, and whether it is the code or the name.
_STATISTICS_OFFICE: Final = re.compile(r"([A-Za-z]{2,12}\d{2})(CD|cd)")
_NOT_OF_A_CODE: Final = re.compile(r"[^a-z0-9._-]+")
_LONGEST_CODE: Final = 63


def no_step(told: str, done: int, of: int) -> None:
    """For those who do not wait."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the person says a file calls its properties; what is None is found out, teams are left out."""

    code: str | None = None
    name: str | None = None
    team_id: str | None = None
    team_name: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """The areas of some files, in their order; what was mended; and by which properties each form was read."""

    boundaries: Boundaries
    named: tuple[str, ...]
    """A sentence for each mapping that was used."""


@dataclass(frozen=True, slots=True)
class _Collection:
    file: Path
    features: Mapping[str, Any]
    names: PropertyNames


def as_code(text: str) -> str:
    """A code as it stands in rows, events and addresses: small letters, digits, dot, hyphen and underscore."""
    return _NOT_OF_A_CODE.sub("-", text.strip().lower()).lstrip("._-")[:_LONGEST_CODE]


def read_boundaries(
    paths: Sequence[Path],
    named: Named = Named(),
    *,
    force_id: str,
    boundary_version: str | None = None,
    step: Step = no_step,
) -> Read:
    """The areas of all these files together; a folder stands for the files in it.

    A file is GeoJSON, TopoJSON, KML, GeoPackage or a shapefile in a ZIP; or one neighbourhood as data.police.uk has it:
    `<code>.kml`, or `<code>.json` with the answer of `/<force>/<code>/boundary`. Names of the latter come from
    `neighbourhoods.json` beside them, the answer of `/<force>/neighbourhoods`. Codes become small letters.

    :param boundary_version: which version of the boundaries it is; only a file in our own form says so itself.
    :raises BoundaryFileRefused: a file is none of these; its name and why.
    :raises FeatureRefused: a file holds what is no area; its name, the feature and why.
    """
    areas: dict[str, tuple[Path, Area]] = {}
    mended: list[Mended] = []
    used: dict[str, None] = {}
    files = _files(paths)
    for done, file in enumerate(files):
        step("reading files", done, len(files))
        collection = _read(file, named)
        version = boundary_version
        try:
            found = areas_of(collection.features, collection.names, force_id=force_id, boundary_version=version)
        except FeatureRefused as fault:
            raise FeatureRefused(f"{file.name}: {fault.message}") from fault
        except BoundaryFileRefused as fault:
            raise BoundaryFileRefused(f"{file.name}: {fault.message}") from fault
        used[_told(collection)] = None
        mended += [replace(one, area_id=as_code(one.area_id)) for one in found.mended]
        for area in found.areas:
            code = as_code(area.area_id)
            if not code:
                raise FeatureRefused(f"{file.name}: {area.area_id!r} cannot be the code of an area.")
            if code in areas:
                other, before = areas[code]
                where = other.name if other != file else "the same file"
                raise FeatureRefused(f"{file.name}: {area.area_id} has the code of {before.name} in {where}.")
            team = as_code(area.team_id) or code
            areas[code] = (file, replace(area, area_id=code, name=area.name[:200], team_id=team))
    step("reading files", len(files), len(files))
    return Read(Boundaries(tuple(area for _, area in areas.values()), tuple(mended)), tuple(used))


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS and file.name != _LIST)
            if not inside:
                raise BoundaryFileRefused(f"{path.name} holds no boundary file ({', '.join(ENDINGS)}).")
            files += inside
        elif path.name != _LIST:
            files.append(path)
    if not files:
        raise BoundaryFileRefused("Name at least one boundary file.")
    return files


def _read(file: Path, named: Named) -> _Collection:
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        raise BoundaryFileRefused(
            f"{file.name}: boundaries come as GeoJSON, TopoJSON, KML, GeoPackage (.gpkg) or a shapefile in a ZIP."
        )
    if ending in _BY_GDAL:
        collection = _by_gdal(file)
        if ending == ".kml" and len(collection["features"]) == 1 and named.code is None:
            [feature] = collection["features"]
            return _of_one_area(file, feature["geometry"], feature["properties"].get("Name"))
        return _of_many(file, collection, named)
    found = _json(file)
    if isinstance(found, list):
        return _of_one_area(file, _ring(file, found), None)
    if isinstance(found, Mapping) and found.get("type") == "Topology":
        found = _by_gdal(file)
    return _of_many(file, found, named)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (ValueError, OSError) as error:
        raise BoundaryFileRefused(f"{file.name} cannot be read: {error}.") from error


def _by_gdal(file: Path) -> dict[str, Any]:
    # GDAL takes a tenth of a second to load: only who reads such a file pays for it.
    import pyogrio

    try:
        # A shapefile is several files; a ZIP holds them together.
        source = f"/vsizip/{file}" if file.suffix.lower() == ".zip" else file
        layers = pyogrio.list_layers(source)
        if len(layers) != 1:
            raise BoundaryFileRefused(f"{file.name} holds {len(layers)} layers; one with the areas is wanted.")
        with warnings.catch_warnings():
            # That a ring was left open; it is closed below.
            warnings.simplefilter("ignore", RuntimeWarning)
            meta, _, shapes, columns = pyogrio.raw.read(source)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, OSError) as error:
        raise BoundaryFileRefused(f"{file.name} cannot be read: {error}.") from error
    fields = [str(name) for name in meta["fields"]]
    # What crosses itself is mended later, and told.
    geometries = shapely.from_wkb(shapes, on_invalid="fix")
    features = [
        {
            "properties": {name: _plain(column[row]) for name, column in zip(fields, columns, strict=True)},
            "geometry": None if geometry is None else json.loads(shapely.to_geojson(geometry)),
        }
        for row, geometry in enumerate(geometries.tolist())
    ]
    # TopoJSON names no reference system, and is in longitude and latitude by its specification.
    system = {} if meta["crs"] is None else {"crs": {"properties": {"name": meta["crs"]}}}
    return {"type": "FeatureCollection", "features": features, **system}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else getattr(value, "item", lambda: value)()


def _of_one_area(file: Path, geometry: Any, told: Any) -> _Collection:
    name = _names_beside(file).get(file.stem) or (told if isinstance(told, str) else None) or file.stem
    feature = {"properties": {"code": file.stem, "name": name}, "geometry": geometry}
    return _Collection(file, {"type": "FeatureCollection", "features": [feature]}, _ONE_AN_AREA)


def _names_beside(file: Path) -> dict[str, str]:
    beside = file.with_name(_LIST)
    if not beside.is_file():
        return {}
    try:
        return {str(one["id"]): html.unescape(str(one["name"])) for one in _json(beside)}
    except (TypeError, KeyError) as error:
        raise BoundaryFileRefused(f"{beside.name} is no list of neighbourhoods with id and name.") from error


def _ring(file: Path, points: Sequence[Any]) -> dict[str, Any]:
    """One flat ring of latitudes and longitudes, both texts."""
    try:
        ring = [(float(one["longitude"]), float(one["latitude"])) for one in points]
    except (TypeError, KeyError, ValueError) as error:
        raise BoundaryFileRefused(f"{file.name} is no list of points with latitude and longitude.") from error
    return {"type": "Polygon", "coordinates": [[*ring, *ring[:1]]]}


def _of_many(file: Path, collection: Any, named: Named) -> _Collection:
    if not isinstance(collection, Mapping) or not isinstance(collection.get("features"), list):
        raise BoundaryFileRefused(f"{file.name} is neither GeoJSON, TopoJSON nor a boundary of data.police.uk.")
    return _Collection(file, collection, _names(file, collection["features"], named))


def _names(file: Path, features: Sequence[Any], named: Named) -> PropertyNames:
    rows = [
        one["properties"] for one in features if isinstance(one, Mapping) and isinstance(one.get("properties"), Mapping)
    ]
    there = sorted({str(key) for row in rows for key in row})
    asked = [one for one in (named.code, named.name, named.team_id, named.team_name) if one is not None]
    if wrong := [one for one in asked if one not in there]:
        raise BoundaryFileRefused(f"{file.name} has no property {', '.join(wrong)}. It has {', '.join(there)}.")
    if named.code is None and OURS.area_id in there:
        return OURS
    code = named.code or _code_of_statistics(rows, there)
    if code is None:
        raise BoundaryFileRefused(
            f"{file.name}: say which property holds each area’s code (--code). It has {', '.join(there) or 'none'}."
        )
    match = _STATISTICS_OFFICE.fullmatch(code)
    called = f"{match[1]}{'NM' if match[2] == 'CD' else 'nm'}" if match else None
    return PropertyNames(
        code,
        named.name or (called if called in there and called else code),
        team_id=named.team_id,
        team_name=named.team_name or named.team_id,
        boundary_version=None,
    )


def _code_of_statistics(rows: Sequence[Mapping[str, Any]], there: Sequence[str]) -> str | None:
    """The one property that looks like the statistics office's codes and differs from area to area."""
    like = [name for name in there if _STATISTICS_OFFICE.fullmatch(name)]
    own = [name for name in like if max(Counter(str(row.get(name)) for row in rows).values()) == 1]
    return own[0] if len(own) == 1 else None


def _told(collection: _Collection) -> str:
    names = collection.names
    if names is _ONE_AN_AREA:
        return "codes from the files’ names"
    said = f"code from {names.area_id}, name from {names.name}"
    return f"{said}, team from {names.team_id}" if names.team_id else f"{said}, each area a team of its own"
