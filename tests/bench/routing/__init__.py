"""Routing: places to areas, one at a time and in bulk, on the wards of a force, beside bare shapely."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from services.assignment.registers import Registers
from shared.contracts.kinds import Point
from shared.geography.areas import AreaIndex, Routed
from shared.geography.boundaries import Area
from shared.geography.files import read_boundaries
from shared.geography.grid import GridPoint, Metres, many_to_wgs84
from shared.geography.postcodes import Postcodes
from shared.runtime import settle
from tests.bench.figures import Bar, Figure, Found, Run, WrongEffect, ratio

T = TypeVar("T")

FORCE: Final = "avon-and-somerset"
ONE: Final = "ours, one at a time"
BULK: Final = "ours, 5,000 a call"
SERVICE: Final = "ours, 5,000 a call, in degrees as the service asks"
BARE: Final = "bare shapely, 5,000 a call"
BATCH: Final = 5_000
_PLACES: Final = 50_000
_PROJECT: Final = Path(__file__).parents[3]
_FORCES: Final = _PROJECT / "deploy" / "forces"
_WARDS: Final = _PROJECT.parent / "shared" / "data" / "avon_somerset_wards_WD25.geojson"
_DEMO: Final = _FORCES / FORCE / "areas.geojson"

_MEMORY: Final = """
import json, sys
from pathlib import Path
import psutil

def megabytes():
    return psutil.Process().memory_info().rss / 1e6

from shared.geography.areas import AreaIndex
from shared.geography.files import read_boundaries
from shared.geography.grid import GridPoint

GridPoint(358_000, 172_000).to_wgs84()
before = megabytes()
index = AreaIndex.build(read_boundaries([Path(sys.argv[1])], force_id="f", boundary_version="v").boundaries.areas)
index.route(GridPoint(358_000, 172_000))
print(json.dumps([len(index.areas), before, megabytes()]))
"""


async def suite(run: Run) -> Found:
    """Loading, then the same places by each contestant in turn; rates are by the processor's clock, of one core."""
    wards = _WARDS if _WARDS.exists() else _DEMO
    areas = _areas(wards)
    index = AreaIndex.build(areas)
    eastings, northings = _places(areas, run.many(_PLACES))
    points = [GridPoint(*place) for place in np.column_stack([eastings, northings]).tolist()]
    degrees = [
        Point(latitude=latitude, longitude=longitude)
        for longitude, latitude in np.column_stack(many_to_wgs84(eastings, northings)).tolist()
    ]
    registers = Registers(_FORCES, [FORCE])
    bare = Bare(areas)
    settle()

    load = Figure("load", f"{len(areas)} areas of {wards.name}", "ms", len(areas))
    contestants: dict[str, Callable[[], Sequence[object]]] = {
        ONE: lambda: [index.route(point) for point in points],
        BULK: lambda: _batches(eastings, northings, index.route_many),
        SERVICE: lambda: [
            one
            for at in range(0, len(degrees), BATCH)
            for one in registers.locate(FORCE, [(place,) for place in degrees[at : at + BATCH]])
        ],
        BARE: lambda: _batches(eastings, northings, bare.route),
    }
    who = list(contestants)
    figures = {name: Figure("places", name, "places/s", len(points)) for name in who}
    bar = run.task("routing", run.rounds * (len(who) + 1))
    for n in range(run.rounds):
        load.values.append(1000 * _took(lambda: AreaIndex.build(_areas(wards)).route(points[0]))[0])
        run.progress.advance(bar)
        answers: dict[str, Sequence[object]] = {}
        for name in run.turns(who, n):
            seconds, answers[name] = _took(contestants[name])
            figures[name].values.append(len(points) / seconds)
            run.progress.advance(bar)
        _compare(index.areas, answers)

    many, before, after = _memory(wards)
    routes = _batches(eastings, northings, index.route_many)
    nearest = sum(isinstance(one, Routed) and one.how == "nearest" for one in routes)
    return Found(
        [load, *figures.values()],
        [
            Bar("load", f"ms for {len(areas)} areas, read and indexed", 1_000, load.values, "at most"),
            Bar("one at a time", "places a second of one core", 50_000, figures[ONE].values),
            Bar("in bulk", "times one at a time", 10, ratio(figures, BULK, ONE)),
            Bar("in bulk", "times bare shapely", 1, ratio(figures, BULK, BARE)),
        ],
        [
            f"{len(points):,} real postcodes of the force, {nearest} of them in no area; {wards.name}. Rates are by the"
            " processor's clock: what one core does.",
            f"A process with {many} areas holds {after - before:.1f} MB more than before it read them"
            f" ({after:.0f} MB in all, libraries included).",
            "As the service asks: by the demo's areas, from degrees, an answer made of each.",
        ],
    )


class Bare:
    """The ceiling: a tree of prepared shapes, asked in bulk, and the first that covers a place. No nearest, no reason
    why, no value for an answer: the position of an area, -1 for none."""

    def __init__(self, areas: Sequence[Area]) -> None:
        """Areas in any order."""
        ranked = sorted(areas, key=lambda area: (area.geometry.area, area.area_id))
        self._shapes = np.asarray([area.geometry for area in ranked], dtype=object)
        self._tree = shapely.STRtree(self._shapes)
        shapely.prepare(self._shapes)

    def route(self, eastings: Metres, northings: Metres) -> list[int]:
        """Where each place belongs."""
        points = np.asarray(shapely.points(eastings, northings), dtype=object)
        rows, candidates = self._tree.query(points)
        hit = np.asarray(shapely.covers(self._shapes[candidates], points[rows]))
        first: NDArray[np.intp] = np.full(len(points), len(self._shapes), dtype=np.intp)
        np.minimum.at(first, rows[hit], candidates[hit])
        found: list[int] = np.where(first == len(self._shapes), -1, first).tolist()
        return found


def _took(ask: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    found = ask()
    return time.process_time() - began, found


def _areas(file: Path) -> tuple[Area, ...]:
    return read_boundaries([file], force_id=FORCE, boundary_version="bench").boundaries.areas


def _places(areas: Sequence[Area], many: int) -> tuple[Metres, Metres]:
    """Postcodes of the force, in no order."""
    postcodes = Postcodes.open(_PROJECT / ".walkandtalk" / "data")
    _, eastings, northings = postcodes.inside(shapely.union_all([area.geometry for area in areas]).buffer(200))
    chosen = np.random.default_rng(2026).permutation(len(eastings))[:many]
    return eastings[chosen], northings[chosen]


def _batches(eastings: Metres, northings: Metres, route: Callable[[Metres, Metres], Sequence[T]]) -> list[T]:
    return [
        one
        for at in range(0, len(eastings), BATCH)
        for one in route(eastings[at : at + BATCH], northings[at : at + BATCH])
    ]


def _compare(areas: Sequence[Area], answers: dict[str, Sequence[object]]) -> None:
    """All have to say the same of the same places."""
    if answers[ONE] != answers[BULK]:
        raise WrongEffect("One at a time and in bulk, places were routed differently")
    for ours, bare in zip(answers[BULK], answers[BARE], strict=True):
        covered = ours.area if isinstance(ours, Routed) and ours.how == "covers" else None
        if covered is not (areas[bare] if isinstance(bare, int) and bare >= 0 else None):
            raise WrongEffect(f"{ours} is not what bare shapely finds")


def _memory(wards: Path) -> tuple[int, float, float]:
    run = subprocess.run(
        [sys.executable, "-c", _MEMORY, str(wards)], cwd=_PROJECT, capture_output=True, text=True, check=True
    )
    many, before, after = json.loads(run.stdout)
    return many, before, after
