"""To which force a place belongs: a square of a force, another beside it, and one that lists no areas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.contracts.kinds import Point
from shared.geography.boundaries import BoundaryFileRefused
from shared.geography.forces import ForceGround
from shared.geography.grid import GridPoint


def square(west: float, south: float, size: float = 10_000) -> list[list[float]]:
    return [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]


def listed(folder: Path, force: str, ring: list[list[float]]) -> None:
    properties = dict.fromkeys(("area_id", "name", "team_id", "team_name", "boundary_version"), "x")
    feature = {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    (folder / force).mkdir()
    (folder / force / "areas.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "crs": "EPSG:27700", "features": [feature]}), encoding="utf-8"
    )


@pytest.fixture
def ground(tmp_path: Path) -> ForceGround:
    listed(tmp_path, "west", square(400_000, 200_000))
    listed(tmp_path, "east", square(410_000, 200_000))
    return ForceGround.read(tmp_path, ("west", "east", "south"))


def at(easting: float, northing: float) -> Point:
    longitude, latitude = GridPoint(easting, northing).to_wgs84()
    return Point(latitude=latitude, longitude=longitude)


@pytest.mark.parametrize(
    ("metres", "asked", "found"),
    [
        (-5_000, "west", "west"),
        (-5_000, "east", "west"),
        (5_000, "west", "east"),
        (190, "west", "west"),
        (210, "west", "east"),
        (-190, "east", "east"),
        (-210, "east", "west"),
    ],
)
def test_place_near_the_border_is_of_the_force_asked(
    ground: ForceGround, metres: float, asked: str, found: str
) -> None:
    """Up to 200 metres beyond it, as routing takes a place to the nearest area; from there on of whose ground it is."""
    assert ground.force_of(at(410_000 + metres, 205_000), asked) == found


def test_place_in_a_gap_is_of_the_nearest_within_reach(ground: ForceGround) -> None:
    """Asked of a force far away: 150 metres off the coast of one it is that one's, farther out nobody's."""
    assert ground.force_of(at(399_850, 205_000), "east") == "west"
    assert ground.force_of(at(399_700, 205_000), "east") is None
    assert ground.force_of(at(399_700, 205_000), "west") is None


def test_force_without_a_boundary_file_may_have_any_place(ground: ForceGround) -> None:
    """Its requests go to a coordinator, who decides; nobody is sent away by a file that is not there."""
    assert ground.force_of(at(405_000, 205_000), "south") == "south"


def test_boundary_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """With its path."""
    (tmp_path / "west").mkdir()
    (tmp_path / "west" / "areas.geojson").write_text("{", encoding="utf-8")
    with pytest.raises(BoundaryFileRefused, match=r"west/areas\.geojson"):
        ForceGround.read(tmp_path, ("west",))
