"""A force's areas as lines for a map."""

from __future__ import annotations

from shapely.geometry import MultiPolygon, Polygon, box

from shared.geography.boundaries import Area
from shared.geography.grid import from_wgs84
from shared.geography.outlines import outlines


def an_area(area_id: str, geometry: Polygon | MultiPolygon) -> Area:
    """An area whose name is its code."""
    return Area("demo", area_id, area_id, area_id, area_id, "1", geometry)


def test_neighbours_still_meet_once_simplified() -> None:
    """The corners of the line between two areas are the same in both; a wiggle smaller than the tolerance is gone."""
    between = [(361_000, 172_000 + 100 * step) if step % 2 else (361_003, 172_000 + 100 * step) for step in range(11)]
    west = Polygon([(360_000, 172_000), *between, (360_000, 173_000)])
    east = Polygon([*between, (362_000, 173_000), (362_000, 172_000)])
    drawn = outlines([an_area("west", west), an_area("east", east)])["features"]
    rings = [{tuple(corner) for corner in feature["geometry"]["coordinates"][0]} for feature in drawn]
    assert len(rings[0] & rings[1]) == 2
    assert [len(ring) for ring in rings] == [4, 4]


def test_a_name_is_written_inside_the_largest_part_of_its_area() -> None:
    """Not between an island and the shore, nor in the mouth of a bay."""
    bay = box(360_000, 172_000, 363_000, 175_000) - box(360_500, 172_500, 363_000, 174_500)
    assert isinstance(bay, Polygon)
    [feature] = outlines([an_area("bay", MultiPolygon([bay, box(370_000, 172_000, 370_100, 172_100)]))])["features"]
    latitude, longitude = feature["properties"]["at"]
    spot = from_wgs84(longitude=longitude, latitude=latitude)
    assert bay.contains(box(spot.easting, spot.northing, spot.easting + 1, spot.northing + 1))
    assert feature["properties"]["name"] == "bay"
