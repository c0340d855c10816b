"""Places to shapes by cells: the same as asking every shape about every place."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from shared.geography.cells import Cells

RING = Polygon(box(2, 2, 18, 18).exterior, [box(6, 6, 12, 12).exterior])
TRIANGLE = Polygon([(0, 0), (20, 3), (5, 20)])
APART = MultiPolygon([box(0, 15, 3, 18), box(17, 0, 20, 3)])
SHAPES = st.lists(
    st.one_of(
        st.sampled_from([RING, TRIANGLE, APART]),
        st.builds(lambda x, y, w, h: box(x, y, x + w, y + h), *[st.integers(0, 12)] * 2, *[st.integers(1, 9)] * 2),
    ),
    min_size=1,
    max_size=6,
)
# On corners and edges of shapes and of cells, and beside them.
PLACES = st.lists(st.tuples(*[st.integers(-8, 88).map(lambda n: n / 4)] * 2), min_size=1, max_size=40)


def pairs(
    shapes: list[Polygon | MultiPolygon], places: list[tuple[float, float]], width: float
) -> list[tuple[int, int]]:
    held = np.asarray(shapes, dtype=object)
    shapely.prepare(held)
    eastings, northings = np.asarray(places, dtype=np.float64).T
    rows, found = Cells(held, width).covering(eastings, northings)
    return list(zip(rows.tolist(), found.tolist(), strict=True))


@given(SHAPES, PLACES, st.sampled_from([0.3, 1.0, 2.5, 7.0, 100.0]))
def test_cells_say_what_every_shape_says_of_every_place(
    shapes: list[Polygon | MultiPolygon], places: list[tuple[float, float]], width: float
) -> None:
    """However wide the cells, on their edges as well; by place, then by shape."""
    slowly = [
        (row, position)
        for row, place in enumerate(places)
        for position, shape in enumerate(shapes)
        if shape.covers(shapely.Point(place))
    ]
    assert pairs(shapes, places, width) == slowly


@pytest.mark.parametrize("place", [(np.nan, 5.0), (5.0, np.nan), (np.inf, 5.0), (1e12, -1e12)])
def test_what_is_no_place_lies_nowhere(place: tuple[float, float]) -> None:
    """Nor does it disturb its neighbours."""
    assert pairs([box(0, 0, 10, 10)], [(5, 5), place, (6, 6)], 1.0) == [(0, 0), (2, 0)]


def test_places_at_real_coordinates_are_not_lost_between_cells() -> None:
    """Six figures east and north, cells of a width no binary fraction holds: no place is lost."""
    square = box(358_000.1, 172_000.7, 359_234.5, 173_456.7)
    rng = np.random.default_rng(7)
    east = np.append(rng.uniform(358_000.1, 359_234.5, 20_000), [358_000.1, 359_234.5])
    north = np.append(rng.uniform(172_000.7, 173_456.7, 20_000), [172_000.7, 173_456.7])
    held = np.asarray([square], dtype=object)
    shapely.prepare(held)
    for width in (11.1, 33.3, 250.1):
        rows, _ = Cells(held, width).covering(east, north)
        assert len(rows) == len(east)
