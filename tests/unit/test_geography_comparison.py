"""What is told before a force's areas are replaced, on shapes small enough to see."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from shapely import union_all
from shapely.geometry import MultiPolygon, Polygon, box

from shared.geography.areas import AreaIndex, Routed
from shared.geography.boundaries import Area
from shared.geography.comparison import Comparison, Moved, Renamed, compare
from shared.geography.grid import GridPoint, Metres


def an_area(code: str, geometry: Polygon | MultiPolygon, *, team: str = "", name: str = "") -> Area:
    return Area("avon-and-somerset", code, name or code, team or code, team or code, "v1", geometry)


def places(*points: tuple[float, float]) -> tuple[Metres, Metres]:
    return np.asarray([east for east, _ in points], dtype=float), np.asarray(
        [north for _, north in points], dtype=float
    )


WEST, EAST = an_area("west", box(0, 0, 1000, 1000)), an_area("east", box(1000, 0, 2000, 1000))
NOWHERE = places()


def test_the_same_areas_again_change_nothing() -> None:
    """No line of the report, and every place is where it was."""
    same = compare([WEST, EAST], [EAST, WEST], places((500, 500), (1500, 500), (1000, 500), (9000, 9000)))
    assert same == Comparison((), (), (), (), (), (), (), (), 3, 0, ())


def test_ground_nobody_would_have_any_more_is_a_gap() -> None:
    """Told with its size, a place in it, who lies beside it and whose it is today."""
    [gap] = compare([WEST, EAST], [WEST, an_area("east", box(1100, 0, 2000, 1000))], NOWHERE).gaps
    assert (gap.square_metres, gap.beside, gap.was) == (100_000, ("east", "west"), ("east",))
    assert 1000 < gap.middle.easting < 1100 and 0 < gap.middle.northing < 1000


def test_a_hole_between_areas_is_a_gap_even_where_nobody_had_it_before() -> None:
    """The first areas a force loads are looked at like any others."""
    ring = an_area("ring", Polygon(box(0, 0, 1000, 1000).exterior, [box(400, 400, 600, 600).exterior]))
    [gap] = compare([], [ring], NOWHERE).gaps
    assert (gap.square_metres, gap.beside, gap.was) == (40_000, ("ring",), ())


def test_what_is_narrower_than_a_pavement_is_no_gap() -> None:
    """Two files drawn by hand meet a few centimetres apart."""
    assert compare([], [WEST, an_area("east", box(1000.2, 0, 2000, 1000))], NOWHERE).gaps == ()


def test_ground_of_two_areas_is_told_with_the_one_that_wins() -> None:
    """The smaller wins, as in routing; drawn inside another without a hole counts as well."""
    inner = an_area("inner", box(100, 100, 300, 300))
    wide = an_area("wide", box(900, 0, 2900, 1000))
    found = compare([], [WEST, wide, inner], NOWHERE).overlaps
    assert [(one.square_metres, one.wins, one.loses) for one in found] == [
        (100_000, "west", "wide"),
        (40_000, "inner", "west"),
    ]


def test_teams_and_areas_that_go_come_or_are_renamed_are_named() -> None:
    """By code: two areas may share a name."""
    today = [
        an_area("a", box(0, 0, 10, 10), team="t1"),
        an_area("b", box(10, 0, 20, 10), team="t2", name="Old Market"),
    ]
    then = [
        an_area("b", box(10, 0, 20, 10), team="t3", name="Yr Hen Farchnad"),
        an_area("c", box(0, 0, 10, 10), team="t3"),
    ]
    found = compare(today, then, NOWHERE)
    assert (found.areas_gone, found.areas_new) == (("a",), ("c",))
    assert found.areas_renamed == (Renamed("b", "Old Market", "Yr Hen Farchnad"),)
    assert (found.teams_gone, found.teams_new) == (("t1", "t2"), ("t3",))


def test_places_routed_elsewhere_are_counted_by_where_they_go() -> None:
    """Also those nobody would have, and those nobody had."""
    then = [an_area("west", box(0, 0, 500, 1000)), an_area("north", box(0, 1500, 1000, 2500))]
    asked = places((100, 100), (990, 100), (990, 200), (1500, 500), (500, 2000), (np.nan, np.nan))
    found = compare([WEST, EAST], then, asked)
    assert found.places == 5
    assert found.moved == (
        Moved("west", None, 2, (1, 2)),
        Moved(None, "north", 1, (4,)),
        Moved("east", None, 1, (3,)),
    )
    assert found.routed_elsewhere == 4


def test_places_in_no_area_that_go_to_the_nearest_are_counted() -> None:
    """In a harbour: they are flagged when they come, so a coordinator knows how many to expect."""
    found = compare([WEST], [WEST], places((-100, 500), (-300, 500), (10, 500)))
    assert (found.places, found.nearest, found.moved) == (2, 1, ())


cells = st.lists(st.integers(0, 3), min_size=16, max_size=16)


def drawn(owners: list[int]) -> list[Area]:
    """Up to four areas, each made of cells of a board of four by four, 100 metres wide; owner 0 is nobody."""
    squares: dict[int, list[Polygon]] = {}
    for cell, owner in enumerate(owners):
        if owner:
            east, north = 100 * (cell % 4), 100 * (cell // 4)
            squares.setdefault(owner, []).append(box(east, north, east + 100, north + 100))
    return [an_area(f"area-{owner}", whole(shapes)) for owner, shapes in sorted(squares.items())]


def whole(squares: list[Polygon]) -> Polygon | MultiPolygon:
    shape = union_all(squares)
    assert isinstance(shape, Polygon | MultiPolygon)
    return shape


@given(cells.filter(any), cells.filter(any))
def test_the_report_is_about_the_ground_that_changes_hands(today: list[int], then: list[int]) -> None:
    """Cells that lose their area are gaps, and no gap is anybody's; each place that moves is counted once."""
    middle = [(100 * (cell % 4) + 50.0, 100 * (cell // 4) + 50.0) for cell in range(16)]
    found = compare(drawn(today), drawn(then), places(*middle))
    lost = sum(1 for was, becomes in zip(today, then, strict=True) if was and not becomes)
    assert sum(gap.square_metres for gap in found.gaps) >= lost * 10_000
    assert all(
        code(AreaIndex.build(drawn(then), nearest_within_m=0.001), astuple(gap.middle)) is None for gap in found.gaps
    )
    assert found.overlaps == ()
    before, after = AreaIndex.build(drawn(today)), AreaIndex.build(drawn(then))
    elsewhere = sum(1 for at in middle if code(before, at) != code(after, at))
    assert found.routed_elsewhere == elsewhere


def code(index: AreaIndex, at: tuple[float, ...]) -> str | None:
    routed = index.route(GridPoint(at[0], at[1]))
    return routed.area_id if isinstance(routed, Routed) else None
