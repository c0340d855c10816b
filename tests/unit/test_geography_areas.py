"""Which area a place goes to, decided on shapes small enough to see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from shared.geography.areas import AreaIndex, DuplicateArea, NoAreas, OutsideAllAreas, Routed
from shared.geography.boundaries import Area
from shared.geography.grid import GridPoint


def an_area(code: str, geometry: Polygon | MultiPolygon, force: str = "avon-and-somerset") -> Area:
    return Area(force, code, code, code, code, "v1", geometry)


def route(index: AreaIndex, easting: float, northing: float) -> tuple[str, str, float] | None:
    """Code, how and distance; nothing when outside all areas."""
    routed = index.route(GridPoint(easting, northing))
    return (routed.area_id, routed.how, routed.distance_m) if isinstance(routed, Routed) else None


def test_a_place_inside_an_area_belongs_to_it() -> None:
    """The area that covers the place, at no distance."""
    index = AreaIndex.build([an_area("a", box(0, 0, 100, 100)), an_area("b", box(100, 0, 200, 100))])
    assert route(index, 150, 50) == ("b", "covers", 0)


@pytest.mark.parametrize(("easting", "northing"), [(0, 0), (100, 100), (50, 0), (100, 50)])
def test_a_place_on_the_boundary_belongs_to_the_area(easting: float, northing: float) -> None:
    """Corners and edges count as covered, not as near."""
    assert route(AreaIndex.build([an_area("a", box(0, 0, 100, 100))]), easting, northing) == ("a", "covers", 0)


def test_a_place_between_two_equal_areas_goes_to_the_lower_code() -> None:
    """On a shared edge of areas of one size the lowest code decides, whatever the order of the file."""
    left, right = an_area("b", box(0, 0, 100, 100)), an_area("a", box(100, 0, 200, 100))
    assert route(AreaIndex.build([left, right]), 100, 50) == ("a", "covers", 0)
    assert route(AreaIndex.build([right, left]), 100, 50) == ("a", "covers", 0)


def test_of_overlapping_areas_the_smallest_wins() -> None:
    """A neighbourhood drawn inside another without a hole keeps its places, though its code is higher."""
    inner, outer = an_area("z", box(40, 40, 60, 60)), an_area("a", box(0, 0, 100, 100))
    index = AreaIndex.build([outer, inner])
    assert route(index, 50, 50) == ("z", "covers", 0)
    assert route(index, 10, 10) == ("a", "covers", 0)


def test_a_force_inside_another_keeps_its_own_places() -> None:
    """Areas of two forces are one map: the City's places are the City's though the Met lies all round."""
    city = an_area("city", box(40, 40, 60, 60), force="city-of-london")
    met = an_area("met", box(0, 0, 100, 100), force="metropolitan")
    routed = AreaIndex.build([met, city]).route(GridPoint(50, 50))
    assert isinstance(routed, Routed) and routed.force_id == "city-of-london"


def test_a_place_in_a_hole_is_not_the_areas() -> None:
    """The area around a hole does not cover what lies in it; another area may."""
    around = an_area(
        "around", Polygon(box(0, 0, 1000, 1000).exterior.coords, [box(400, 400, 600, 600).exterior.coords])
    )
    island = an_area("island", box(450, 450, 550, 550))
    assert route(AreaIndex.build([around, island]), 500, 500) == ("island", "covers", 0)
    assert route(AreaIndex.build([around]), 500, 500) == ("around", "nearest", 100)


def test_every_part_of_an_area_is_the_area() -> None:
    """An area in several parts covers places in each of them."""
    parts = MultiPolygon([box(x, 0, x + 10, 10) for x in range(0, 7_000, 1_000)])
    index = AreaIndex.build([an_area("a", parts)])
    assert {route(index, x + 5, 5) for x in range(0, 7_000, 1_000)} == {("a", "covers", 0)}


@pytest.mark.parametrize(
    ("metres", "expected"), [(0.5, "nearest"), (199.9, "nearest"), (200.0, "nearest"), (200.1, None)]
)
def test_a_place_no_area_covers_goes_to_the_nearest_within_two_hundred_metres(
    metres: float, expected: str | None
) -> None:
    """In a harbour or on the river the nearest area takes it, and the distance is told; farther is for a person."""
    routed = route(AreaIndex.build([an_area("a", box(0, 0, 100, 100))]), 100 + metres, 50)
    assert (routed and routed[1]) == expected
    if routed:
        assert routed[2] == pytest.approx(metres)


def test_equally_near_areas_are_decided_like_overlapping_ones() -> None:
    """Midway between two areas the smaller takes the place, then the lower code."""
    small, large = an_area("z", box(0, 0, 50, 100)), an_area("a", box(150, 0, 350, 100))
    assert route(AreaIndex.build([large, small]), 100, 50) == ("z", "nearest", 50)
    twin = an_area("b", box(150, 0, 200, 100))
    assert route(AreaIndex.build([small, twin]), 100, 50) == ("b", "nearest", 50)


def test_how_near_is_near_is_for_the_caller_to_say() -> None:
    """A force may want less."""
    index = AreaIndex.build([an_area("a", box(0, 0, 100, 100))], nearest_within_m=10)
    assert route(index, 115, 50) is None


def test_the_same_code_in_two_forces_is_two_areas_but_not_in_one() -> None:
    """Codes are keys within a force."""
    square = box(0, 0, 1, 1)
    assert len(AreaIndex.build([an_area("a", square, "one"), an_area("a", square, "two")]).areas) == 2
    with pytest.raises(DuplicateArea):
        AreaIndex.build([an_area("a", square), an_area("a", square)])


def test_no_areas_is_a_mistake_told_at_the_start() -> None:
    """An empty index would send every request to triage."""
    with pytest.raises(NoAreas):
        AreaIndex.build([])


def test_a_place_without_numbers_is_outside() -> None:
    """NaN stands for an unknown postcode in bulk."""
    index = AreaIndex.build([an_area("a", box(0, 0, 100, 100))])
    nowhere = index.route_many(np.asarray([np.nan, 50, np.nan]), np.asarray([50, np.nan, np.nan]))
    assert nowhere == [OutsideAllAreas()] * 3
    assert index.route_many(np.asarray([]), np.asarray([])) == []


def test_which_other_areas_it_could_have_been_is_told() -> None:
    """By precedence: those that cover the place too, or lie as near; none for nearly every place."""
    small, large = an_area("z", box(40, 40, 60, 60)), an_area("a", box(0, 0, 100, 100))
    beside = an_area("b", box(100, 0, 200, 100))
    index = AreaIndex.build([small, large, beside])
    at = np.asarray([50.0, 100, 20, 150]), np.asarray([50.0, 50, 20, 50])
    assert [(one.area_id, one.others) for one in index.route_many(*at) if isinstance(one, Routed)] == [
        ("z", ("a",)),
        ("a", ("b",)),
        ("a", ()),
        ("b", ()),
    ]
    far = AreaIndex.build([large, an_area("c", box(200, 0, 300, 100))]).route(GridPoint(150, 50))
    assert far == Routed(large, "nearest", 50, ("c",))


def test_areas_within_a_distance_are_told_nearest_first() -> None:
    """Of a place or a way; those it lies in come first."""
    index = AreaIndex.build([an_area(code, box(x, 0, x + 100, 100)) for code, x in [("a", 0), ("b", 100), ("c", 400)]])
    near = [(area.area_id, distance) for area, distance in index.near([GridPoint(150, 50)], 250)]
    assert near == [("b", 0), ("a", 50), ("c", 250)]
    assert [area.area_id for area, _ in index.near([GridPoint(150, 50)], 249)] == ["b", "a"]
    assert [area.area_id for area, _ in index.near([GridPoint(50, 50), GridPoint(390, 50)], 20)] == ["a", "b", "c"]


CORNERS = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 10), st.integers(1, 10))
PLACES = st.lists(st.tuples(st.integers(-12, 42), st.integers(-12, 42)), min_size=1, max_size=30)


@given(st.lists(CORNERS, min_size=1, max_size=8), PLACES)
def test_many_places_are_routed_as_the_rule_reads(
    corners: list[tuple[int, int, int, int]], places: list[tuple[int, int]]
) -> None:
    """On any overlapping boxes the bulk answer is the rule said slowly: cover, size, code; else near, size, code."""
    areas = [an_area(f"{n:02}", box(x, y, x + width, y + height)) for n, (x, y, width, height) in enumerate(corners)]
    index = AreaIndex.build(areas, nearest_within_m=9)
    eastings, northings = np.asarray(places, dtype=np.float64).T
    for place, routed in zip(places, index.route_many(eastings, northings), strict=True):
        point = box(*place, *place).centroid
        distance, _, code = min((area.geometry.distance(point), area.geometry.area, area.area_id) for area in areas)
        if distance > 9:
            assert routed == OutsideAllAreas()
        else:
            assert isinstance(routed, Routed)
            assert routed.area_id == code
            assert routed.distance_m == pytest.approx(distance)
            assert routed.how == ("nearest" if distance else "covers")
            near = sorted(
                (area.geometry.area, area.area_id) for area in areas if area.geometry.distance(point) == distance
            )
            assert (routed.area_id, *routed.others) == tuple(code for _, code in near)
            assert index.route(GridPoint(*place)) == routed


def along(index: AreaIndex, *points: tuple[float, float]) -> tuple[str, str, float] | None:
    """As `route`, of a way from point to point."""
    routed = index.route_along([GridPoint(*point) for point in points])
    return (routed.area_id, routed.how, routed.distance_m) if isinstance(routed, Routed) else None


def test_a_way_belongs_to_the_area_most_of_it_lies_in() -> None:
    """Not to the one it begins or ends in."""
    index = AreaIndex.build([an_area("a", box(0, 0, 100, 100)), an_area("b", box(100, 0, 200, 100))])
    assert along(index, (90, 50), (190, 50)) == ("b", "covers", 0)
    assert along(index, (10, 50), (110, 50)) == ("a", "covers", 0)
    assert along(index, (60, 50), (140, 50)) == ("a", "covers", 0)


def test_how_much_of_a_way_lies_in_its_area_is_told_with_the_others() -> None:
    """Also of a way some of which lies in no area, or that is walked twice over."""
    index = AreaIndex.build([an_area("a", box(0, 0, 100, 100)), an_area("b", box(100, 0, 200, 100))])
    routed = index.route_along([GridPoint(90, 50), GridPoint(190, 50)])
    assert routed == Routed(index.areas[1], "covers", 0, ("a",), 0.9)
    out_and_back = index.route_along([GridPoint(80, 50), GridPoint(180, 50), GridPoint(80, 50)])
    assert isinstance(out_and_back, Routed) and out_and_back.share == pytest.approx(0.8)
    into_the_sea = index.route_along([GridPoint(150, 50), GridPoint(250, 50)])
    assert into_the_sea == Routed(index.areas[1], "covers", 0, (), 0.5)


def test_ground_of_two_areas_counts_for_the_one_that_wins_there() -> None:
    """Half the way lies in the small area drawn inside the large one."""
    index = AreaIndex.build([an_area("inner", box(40, 0, 100, 100)), an_area("outer", box(0, 0, 100, 100))])
    assert along(index, (0, 50), (90, 50)) == ("inner", "covers", 0)
    assert along(index, (0, 50), (70, 50)) == ("outer", "covers", 0)


def test_a_way_that_only_touches_ground_goes_to_the_nearest_and_far_off_to_a_person() -> None:
    """A way along the harbour; and one at sea. A way that stays where it is, is a place."""
    index = AreaIndex.build([an_area("a", box(0, 0, 100, 100)), an_area("b", box(300, 0, 400, 100))])
    assert along(index, (150, 0), (190, 100)) == ("a", "nearest", 50)
    assert along(index, (1000, 0), (1000, 100)) is None
    assert along(index, (50, 50), (50, 50)) == ("a", "covers", 0)
    assert along(index, (50, 50)) == ("a", "covers", 0)
