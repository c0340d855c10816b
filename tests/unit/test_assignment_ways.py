"""Where she would like to pass, in words an officer can follow."""

from __future__ import annotations

import pytest

from services.assignment.domain.areas import Located
from services.assignment.ways import onwards, stops
from shared.contracts.kinds import Point
from shared.contracts.walks import RoutedBy

BRIDGE = Point(latitude=51.45, longitude=-2.59)


@pytest.mark.parametrize(
    ("north", "east", "said"),
    [
        (0.0018, 0, "200 metres north"),
        (0.0018, 0.0029, "280 metres north-east"),
        (0, 0.0144, "1.0 km east"),
        (-0.0018, 0.0029, "280 metres south-east"),
        (-0.018, 0, "2.0 km south"),
        (0, -0.0029, "200 metres west"),
        (0.00001, 0, "the same place"),
    ],
)
def test_how_far_and_which_way(north: float, east: float, said: str) -> None:
    """To ten metres, and to an eighth of the compass."""
    assert onwards(BRIDGE, Point(latitude=51.45 + north, longitude=-2.59 + east)) == said


def test_each_place_of_a_way_has_its_area_and_the_way_from_the_last() -> None:
    """The first has none before it; a place outside all areas has no area. One place is no way."""
    inside = Located("bs1", "bs1", "1", RoutedBy.COVERS)
    first, second = stops((BRIDGE, Point(latitude=51.4518, longitude=-2.59)), (inside, None))
    assert (first.area_id, first.onwards) == ("bs1", "")
    assert (second.area_id, second.onwards) == (None, "200 metres north")
    assert stops((), ()) == ()
