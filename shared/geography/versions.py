"""A force's boundaries by version, in its folder: one is in force, the others are kept and can come back.

deploy/forces/<force>/areas.geojson            what every service reads when it starts
deploy/forces/<force>/areas/<version>.geojson  each version that ever was in force
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from shared.contracts.refusals import Refusal
from shared.geography.boundaries import Area, BoundaryFileRefused, read_geojson
from shared.geography.grid import many_to_wgs84

IN_FORCE: Final = "areas.geojson"
KEPT: Final = "areas"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")
# A millimetre; what is written has to be read as the same shape.
_DECIMALS: Final = 8


class NotAVersion(Refusal):
    """A version is named in small letters, digits, dots and hyphens, like 2026-11."""


class VersionTaken(Refusal):
    """Other boundaries of this force are kept under that version already. Choose another name."""


class VersionUnknown(Refusal):
    """No boundaries of this force are kept under that version."""


@dataclass(frozen=True, slots=True)
class Version:
    """Boundaries that are kept."""

    name: str
    areas: int
    in_force: bool


def in_force(force: Path) -> tuple[Area, ...]:
    """The areas in force in a force's folder, none where it has no boundary file yet.

    :raises BoundaryFileRefused: the file cannot be used.
    """
    file = force / IN_FORCE
    return _areas(file) if file.exists() else ()


def take(force: Path, areas: Sequence[Area], version: str) -> None:
    """Make these areas the version in force; what was in force until now is kept.

    :raises NotAVersion, VersionTaken:
    """
    if not _NAME.fullmatch(version):
        raise NotAVersion
    keep_current(force)
    text = as_geojson([replace(area, boundary_version=version) for area in areas])
    kept = _file(force, version)
    if kept.exists() and kept.read_text(encoding="utf-8") != text:
        raise VersionTaken
    _write(kept, text)
    _write(force / IN_FORCE, text)


def back(force: Path, version: str) -> None:
    """Make a kept version the one in force again.

    :raises VersionUnknown:
    """
    keep_current(force)
    _write(force / IN_FORCE, _text(force, version))


def kept(force: Path, version: str) -> tuple[Area, ...]:
    """The areas of a kept version.

    :raises VersionUnknown, BoundaryFileRefused:
    """
    _text(force, version)
    return _areas(_file(force, version))


def versions(force: Path) -> list[Version]:
    """All that are kept, by name; the one in force is among them once another has been taken."""
    current = force / IN_FORCE
    text = current.read_bytes() if current.exists() else None
    found = [
        Version(file.stem, len(_areas(file)), file.read_bytes() == text)
        for file in sorted((force / KEPT).glob("*.geojson"))
    ]
    if text is not None and not any(one.in_force for one in found):
        areas = _areas(current)
        found.append(Version(_named(areas), len(areas), in_force=True))
    return sorted(found, key=lambda one: one.name)


def keep_current(force: Path) -> None:
    """See that what is in force is among what is kept, also where somebody wrote the file by hand."""
    current = force / IN_FORCE
    if not current.exists():
        return
    text = current.read_text(encoding="utf-8")
    if any(file.read_text(encoding="utf-8") == text for file in (force / KEPT).glob("*.geojson")):
        return
    name = _named(_areas(current))
    free = next(
        one for one in (name, *(f"{name}.{number}" for number in range(2, 1000))) if not _file(force, one).exists()
    )
    _write(_file(force, free), text)


def as_geojson(areas: Sequence[Area]) -> str:
    """A file in our own form, an area a line, in longitude and latitude as RFC 7946 has it."""
    lines = ",\n".join(json.dumps(_feature(area), ensure_ascii=False, separators=(",", ":")) for area in areas)
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'


def _feature(area: Area) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {
            "area_id": area.area_id,
            "name": area.name,
            "team_id": area.team_id,
            "team_name": area.team_name,
            "boundary_version": area.boundary_version,
        },
        "geometry": json.loads(shapely.to_geojson(shapely.transform(area.geometry, _degrees))),
    }


def _degrees(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack(many_to_wgs84(coordinates[:, 0], coordinates[:, 1])).round(_DECIMALS)


def _named(areas: Sequence[Area]) -> str:
    """The version a file says it is, so far as it can be a file's name."""
    said = re.sub(r"[^a-z0-9._-]+", "-", areas[0].boundary_version.lower()).lstrip("._-")[:40]
    return said or "unnamed"


def _file(force: Path, version: str) -> Path:
    return force / KEPT / f"{version}.geojson"


def _text(force: Path, version: str) -> str:
    # The name is looked for among those that are there, so that it cannot lead out of the folder.
    for file in (force / KEPT).glob("*.geojson"):
        if file.stem == version:
            return file.read_text(encoding="utf-8")
    raise VersionUnknown


def _areas(file: Path) -> tuple[Area, ...]:
    try:
        return read_geojson(file, force_id=_force(file)).areas
    except BoundaryFileRefused as fault:
        raise BoundaryFileRefused(f"{file}: {fault.message}") from fault


def _force(file: Path) -> str:
    return (file.parent.parent if file.parent.name == KEPT else file.parent).name


def _write(file: Path, text: str) -> None:
    """Whole or not at all, for services that start meanwhile."""
    file.parent.mkdir(exist_ok=True)
    handle, unfinished = tempfile.mkstemp(prefix=file.name, suffix=".unfinished", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes a file for its owner alone; the services run as somebody else.
        os.chmod(unfinished, 0o644)
        os.replace(unfinished, file)
    except BaseException:
        os.unlink(unfinished)
        raise
