"""What would change if a force's areas were replaced by others: read by a person before it is done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from shared.geography.areas import AreaIndex, Routed
from shared.geography.boundaries import Area
from shared.geography.files import Step, no_step
from shared.geography.grid import GridPoint, Metres

NOTICED_FROM_M2: Final = 500.0
"""Neighbours drawn by hand miss each other by a hand's breadth along kilometres; nobody lives in what is smaller."""
EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """Ground that no area covers, though areas lie round it or covered it before."""

    square_metres: float
    middle: GridPoint
    beside: tuple[str, ...]
    """Codes of the areas that touch it, sorted."""
    was: tuple[str, ...]
    """Codes of the areas that cover it today, sorted."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Ground that two areas claim; places in it go to the first, which is smaller."""

    square_metres: float
    middle: GridPoint
    wins: str
    loses: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """An area with the same code and another name, or a team with the same id and another name."""

    code: str
    was: str
    becomes: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Places routed to another area than today; None is no area, so that a person decides."""

    was: str | None
    becomes: str | None
    places: int
    examples: tuple[int, ...] = ()
    """Up to three of them, by their position among the places asked for."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, largest first; empty parts are what has not changed."""

    areas_gone: tuple[str, ...]
    areas_new: tuple[str, ...]
    areas_renamed: tuple[Renamed, ...]
    teams_gone: tuple[str, ...]
    """Teams with an area today and none then: their open walks stay theirs until somebody hands them over."""
    teams_new: tuple[str, ...]
    teams_renamed: tuple[Renamed, ...]
    gaps: tuple[Gap, ...]
    overlaps: tuple[Overlap, ...]
    places: int
    """How many of those asked for belong to an area today or then."""
    nearest: int
    """How many of them lie in no area then, and would go to the nearest, flagged."""
    moved: tuple[Moved, ...]

    @property
    def routed_elsewhere(self) -> int:
        """How many of the places would go to another area, or to none."""
        return sum(one.places for one in self.moved)


def compare(
    today: Sequence[Area], then: Sequence[Area], places: tuple[Metres, Metres], step: Step = no_step
) -> Comparison:
    """Compare the areas of one force with those that are to replace them.

    :param today: the areas in force; none before the first.
    :param places: eastings and northings to route by both, such as the force's postcodes; NaN belongs nowhere.
    :param step: told how far it is.
    :raises NoAreas: there is nothing to replace them with.
    :raises DuplicateArea: a code stands twice.
    """
    after = AreaIndex.build(then)
    old, new = {one.area_id: one for one in today}, {one.area_id: one for one in then}
    teams, teams_then = _teams(today), _teams(then)
    step("looking for gaps", 0, 3)
    gaps = _gaps(today, after)
    step("looking for overlaps", 1, 3)
    overlaps = _overlaps(after)
    step("routing by both", 2, 3)
    many, nearest, moved = _moved(AreaIndex.build(today) if today else None, after, *places)
    step("routing by both", 3, 3)
    return Comparison(
        areas_gone=_only(old, new),
        areas_new=_only(new, old),
        areas_renamed=_renamed({code: one.name for code, one in old.items()}, {c: one.name for c, one in new.items()}),
        teams_gone=_only(teams, teams_then),
        teams_new=_only(teams_then, teams),
        teams_renamed=_renamed(teams, teams_then),
        gaps=gaps,
        overlaps=overlaps,
        places=many,
        nearest=nearest,
        moved=moved,
    )


def _teams(areas: Iterable[Area]) -> dict[str, str]:
    return {one.team_id: one.team_name for one in areas}


def _only(these: Iterable[str], those: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(these) - set(those)))


def _renamed(was: dict[str, str], becomes: dict[str, str]) -> tuple[Renamed, ...]:
    return tuple(
        Renamed(code, name, becomes[code]) for code, name in sorted(was.items()) if becomes.get(code, name) != name
    )


def _gaps(today: Sequence[Area], after: AreaIndex) -> tuple[Gap, ...]:
    covered = shapely.union_all([one.geometry for one in after.areas])
    ground = shapely.union_all([*(one.geometry for one in today), *_without_holes(covered)])
    found = []
    tree, before = shapely.STRtree([one.geometry for one in after.areas]), [one.geometry for one in today]
    for part in _noticed(shapely.difference(ground, covered)):
        touching = tree.query(part, predicate="dwithin", distance=1.0).tolist()
        inside = [area.area_id for area, shape in zip(today, before, strict=True) if _share(shape, part)]
        found.append(
            Gap(
                part.area,
                _middle(part),
                tuple(sorted(after.areas[position].area_id for position in touching)),
                tuple(sorted(inside)),
            )
        )
    return tuple(sorted(found, key=lambda gap: -gap.square_metres))


def _without_holes(shape: BaseGeometry) -> list[Polygon]:
    # A hole between areas is ground of the force that nobody was given.
    return [Polygon(part.exterior) for part in shapely.get_parts(shape).tolist() if isinstance(part, Polygon)]


def _overlaps(after: AreaIndex) -> tuple[Overlap, ...]:
    shapes = [one.geometry for one in after.areas]
    found = []
    tree = shapely.STRtree(shapes)
    # Drawn inside another without a hole is no overlap in the words of geometry, and is one for whoever routes.
    pairs = [*tree.query(shapes, predicate="overlaps").T.tolist(), *tree.query(shapes, predicate="within").T.tolist()]
    for first, second in {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}:
        common = _noticed(shapely.intersection(shapes[first], shapes[second]))
        if common:
            whole = shapely.union_all(common)
            wins, loses = after.areas[first].area_id, after.areas[second].area_id
            found.append(Overlap(whole.area, _middle(max(common, key=lambda part: part.area)), wins, loses))
    return tuple(sorted(found, key=lambda one: (-one.square_metres, one.wins, one.loses)))


def _noticed(shape: BaseGeometry) -> list[Polygon]:
    return [
        part for part in shapely.get_parts(shape).tolist() if isinstance(part, Polygon) and part.area >= NOTICED_FROM_M2
    ]


def _share(shape: BaseGeometry, part: Polygon) -> bool:
    return bool(shapely.intersection(shape, part).area >= NOTICED_FROM_M2)


def _middle(part: Polygon) -> GridPoint:
    easting, northing = shapely.point_on_surface(part).coords[0]
    return GridPoint(round(easting, 1), round(northing, 1))


def _moved(
    before: AreaIndex | None, after: AreaIndex, eastings: Metres, northings: Metres
) -> tuple[int, int, tuple[Moved, ...]]:
    examples: defaultdict[tuple[str | None, str | None], list[int]] = defaultdict(list)
    counts: Counter[tuple[str | None, str | None]] = Counter()
    routes = after.route_many(eastings, northings)
    of_either = nearest = 0
    for row, (was, becomes) in enumerate(
        zip(before.route_many(eastings, northings) if before else routes, routes, strict=True)
    ):
        pair = (
            was.area_id if isinstance(was, Routed) else None,
            becomes.area_id if isinstance(becomes, Routed) else None,
        )
        of_either += pair != (None, None)
        nearest += isinstance(becomes, Routed) and becomes.how == "nearest"
        if pair[0] != pair[1]:
            counts[pair] += 1
            if len(examples[pair]) < EXAMPLES:
                examples[pair].append(row)
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1] or ""))
    return of_either, nearest, tuple(Moved(*pair, many, tuple(examples[pair])) for pair, many in order)
