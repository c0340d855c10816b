"""What a force lists in its folder: boundary file and officers, read at start; and the areas of places by them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.assignment.domain.areas import Area, Located
from services.assignment.domain.people import Officer
from services.assignment.domain.routing import NearbyTeam
from shared.contracts.areas import AreaPublished
from shared.contracts.envelope import ShortText, Slug
from shared.contracts.kinds import OfficerKind, Point
from shared.contracts.walks import RoutedBy
from shared.geography.areas import AreaIndex, Route, Routed
from shared.geography.boundaries import BoundaryFileRefused, read_geojson
from shared.geography.grid import GridPoint, Metres, many_from_wgs84
from shared.policies import Policies, PolicyFault


class OfficerEntry(BaseModel):
    """An officer as officers.yaml names one; officer_id is the subject the identity provider signs them in by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    officer_id: Slug
    name: ShortText
    kind: OfficerKind
    team_id: Slug
    also_walks_in: tuple[Slug, ...] = ()
    trained_on: date | None = None


class OfficersFile(BaseModel):
    """One force's register of walking officers. `sectors` only holds lists of teams for YAML to repeat."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sectors: Mapping[str, tuple[Slug, ...]] = {}
    officers: Annotated[tuple[OfficerEntry, ...], Field(min_length=1)]


class Registers:
    """Areas and officers of every force; a force without a boundary file has its walks routed by a coordinator."""

    def __init__(self, folder: Path, forces: Sequence[str]) -> None:
        """Read the files of these forces.

        :raises PolicyFault: a file cannot be used; which one, and what is wrong with it.
        """
        self.officers: dict[str, tuple[Officer, ...]] = {}
        self.areas: dict[str, tuple[Area, ...]] = {}
        self._index: dict[str, AreaIndex] = {}
        for force_id in forces:
            self.officers[force_id] = read_officers(folder / force_id / "officers.yaml", force_id)
            boundaries = folder / force_id / "areas.geojson"
            if not boundaries.exists():
                continue
            try:
                found = read_geojson(boundaries, force_id=force_id).areas
            except BoundaryFileRefused as fault:
                raise PolicyFault(f"{boundaries}: {fault.message}") from fault
            self._index[force_id] = AreaIndex.build(found)
            self.areas[force_id] = tuple(
                Area(area.force_id, area.area_id, area.name, area.team_id, area.team_name, area.boundary_version)
                for area in found
            )
            for number, area in enumerate(self.areas[force_id], start=1):
                refuse_unpublishable(boundaries, number, area)

    def locate(self, force_id: str, ways: Sequence[Sequence[Point]]) -> list[Located | None]:
        """The areas of these ways within a force, in order; None outside all of them.

        A way of one point is a place; of several, the area is that in which most of it lies.
        """
        index = self._index.get(force_id)
        if index is None:
            return [None] * len(ways)
        first = [way[0] for way in ways]
        routes = index.route_many(*_on_the_grid(first))
        for row, way in enumerate(ways):
            if len(way) > 1 and (points := _points(way)):
                routes[row] = index.route_along(points)
        return [_located(route) for route in routes]

    def near(self, force_id: str, way: Sequence[Point], within_m: float) -> tuple[NearbyTeam, ...]:
        """The teams of a force with an area within so many metres of a place or a way, nearest first, each once."""
        index = self._index.get(force_id)
        points = _points(way)
        if index is None or not points:
            return ()
        found: dict[str, float] = {}
        for area, distance in index.near(points, within_m):
            found.setdefault(area.team_id, distance)
        return tuple(NearbyTeam(team_id, round(distance, 1)) for team_id, distance in found.items())


def refuse_unpublishable(path: Path, number: int, area: Area) -> None:
    """Codes and names have to be such as events hold, which is told before anything is routed.

    :raises PolicyFault: they are not; the file, the feature and the field.
    """
    try:
        AreaPublished(
            area_id=area.id,
            area_name=area.name,
            team_id=area.team_id,
            team_name=area.team_name,
            boundary_version=area.boundary_version,
        )
    except ValidationError as fault:
        lines = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in fault.errors(include_url=False)]
        raise PolicyFault(f"{path}: Feature {number} ({area.id}): {'; '.join(lines)}") from fault


def _on_the_grid(places: Sequence[Point]) -> tuple[Metres, Metres]:
    return many_from_wgs84([place.longitude for place in places], [place.latitude for place in places])


def _points(way: Sequence[Point]) -> list[GridPoint]:
    """The points of a way that lie in Great Britain."""
    places = np.column_stack(_on_the_grid(way))
    return [GridPoint(*place) for place in places[np.isfinite(places).all(axis=1)].tolist()]


def _located(route: Route) -> Located | None:
    if not isinstance(route, Routed):
        return None
    return Located(
        route.area_id,
        route.area.team_id,
        route.area.boundary_version,
        RoutedBy(route.how),
        round(route.distance_m, 1),
        route.others,
        None if route.share is None else round(route.share, 3),
    )


def main(folder: Path) -> int:
    """Read the files of every force as a start would, and say what is wrong with them; what a program exits with."""
    try:
        found = Registers(folder, Policies.read(folder).forces)
    except PolicyFault as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    for force_id, officers in found.officers.items():
        areas = found.areas.get(force_id, ())
        sys.stdout.write(f"{force_id}: {len(areas)} areas, {len(officers)} officers\n")
        # Not refused: new boundaries come before the officers have been entered under their new teams.
        if areas and (lost := sorted({team for each in officers for team in each.team_ids} - _teams(areas))):
            sys.stdout.write(f"{force_id}: officers walk for teams without an area: {', '.join(lost)}\n")
        if officers and (empty := sorted(_teams(areas) - {team for each in officers for team in each.team_ids})):
            sys.stdout.write(f"{force_id}: teams nobody in officers.yaml walks for: {', '.join(empty)}\n")
    return 0


def _teams(areas: Sequence[Area]) -> set[str]:
    return {area.team_id for area in areas}


def read_officers(path: Path, force_id: str) -> tuple[Officer, ...]:
    """The officers of a file, none where there is no file.

    :raises PolicyFault: the file is wrong, by field.
    """
    if not path.exists():
        return ()
    try:
        found = OfficersFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as fault:
        raise PolicyFault(f"{path}: cannot be read as YAML: {fault}") from fault
    except ValidationError as fault:
        lines = [
            f"{path}: {'.'.join(map(str, error['loc']))}: {error['msg']}"
            for error in fault.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise PolicyFault("\n".join(lines)) from fault
    ids = [entry.officer_id for entry in found.officers]
    if doubled := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        raise PolicyFault(f"{path}: officers: {', '.join(doubled)} stands twice")
    return tuple(
        Officer(
            force_id=force_id,
            id=entry.officer_id,
            name=entry.name,
            kind=entry.kind,
            team_id=entry.team_id,
            team_ids=frozenset((entry.team_id, *entry.also_walks_in)),
            trained_on=entry.trained_on,
            trained_elsewhere_on=entry.trained_on,
        )
        for entry in found.officers
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
