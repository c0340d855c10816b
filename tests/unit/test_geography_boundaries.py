"""What a boundary file may look like, and what is mended or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from shared.geography.boundaries import (
    Boundaries,
    BoundaryFileRefused,
    FeatureRefused,
    PropertyNames,
    areas_of,
    read_geojson,
)
from shared.geography.grid import GridPoint, OutsideGreatBritain, from_wgs84

WARDS = PropertyNames(area_id="WD25CD", name="WD25NM", team_id=None, team_name=None, boundary_version=None)
ON_GRID = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100], [0, 0]]
BOW_TIE = [[0, 0], [100, 100], [100, 0], [0, 100], [0, 0]]
FAR_AWAY = [[x + 1000, y] for x, y in SQUARE]
HOLE = [[40, 40], [60, 40], [60, 60], [40, 60], [40, 40]]


def a_feature(*parts: Any, code: Any = "E1", name: Any = "Ashley", **geometry: Any) -> dict[str, Any]:
    shape = {"type": "MultiPolygon", "coordinates": list(parts), **geometry}
    return {"type": "Feature", "properties": {"WD25CD": code, "WD25NM": name}, "geometry": shape}


def read(*features: Any, crs: Any = ON_GRID) -> Boundaries:
    collection = {"type": "FeatureCollection", "features": list(features)}
    if crs is not None:
        collection["crs"] = crs
    return areas_of(collection, WARDS, force_id="avon-and-somerset", boundary_version="WD25")


def test_properties_are_found_by_the_names_the_file_gives_them() -> None:
    """WD25CD this year, another next: the mapping says, and an area without a team is a team of its own."""
    [area] = read(a_feature([SQUARE])).areas
    assert (area.area_id, area.name, area.team_id, area.team_name) == ("E1", "Ashley", "E1", "Ashley")
    assert (area.force_id, area.boundary_version) == ("avon-and-somerset", "WD25")


def test_our_own_file_names_its_teams_and_its_version(tmp_path: Path) -> None:
    """A file with our property names needs no mapping."""
    properties = {"area_id": "bs1", "name": "BS1", "team_id": "t1", "team_name": "One", "boundary_version": "v7"}
    feature = {**a_feature([SQUARE]), "properties": properties}
    file = tmp_path / "areas.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "crs": ON_GRID, "features": [feature]}))
    [area] = read_geojson(file, force_id="avon-and-somerset").areas
    assert (area.team_id, area.team_name, area.boundary_version) == ("t1", "One", "v7")


def test_holes_and_parts_are_kept() -> None:
    """An area of two parts, one with a hole, has the ground of both without the hole's."""
    [area] = read(a_feature([SQUARE, HOLE], [FAR_AWAY])).areas
    assert area.geometry.area == 2 * 100 * 100 - 20 * 20


def test_a_single_polygon_is_read_too() -> None:
    """Files mix Polygon and MultiPolygon."""
    [area] = read(a_feature(type="Polygon", coordinates=[SQUARE])).areas
    assert area.geometry.geom_type == "Polygon"


def test_heights_are_left_out() -> None:
    """Exports from KML carry a third coordinate."""
    [area] = read(a_feature([[[x, y, 7.5] for x, y in SQUARE]])).areas
    assert not shapely.has_z(area.geometry)


def test_longitude_and_latitude_become_the_grid() -> None:
    """A file that names no system is in longitude and latitude, as RFC 7946 says."""
    ring = [[-2.60, 51.45], [-2.59, 51.45], [-2.59, 51.46], [-2.60, 51.46], [-2.60, 51.45]]
    [area] = read(a_feature([ring]), crs=None).areas
    place = from_wgs84(longitude=-2.595, latitude=51.455)
    assert area.geometry.covers(shapely.Point(place.easting, place.northing))
    assert area.geometry.area == pytest.approx(695 * 1112, rel=0.01)


def test_a_ring_that_crosses_itself_is_mended_and_reported() -> None:
    """A bow tie becomes its two triangles; the report names the area and what was wrong."""
    boundaries = read(a_feature([BOW_TIE], code="E9"))
    assert boundaries.areas[0].geometry.is_valid
    assert boundaries.areas[0].geometry.area == 5000
    [mended] = boundaries.mended
    assert (mended.area_id, mended.change_m2) == ("E9", 5000)
    assert mended.reason.startswith("Self-intersection")


def test_a_valid_file_reports_nothing() -> None:
    """Only what was changed is reported."""
    assert read(a_feature([SQUARE, HOLE])).mended == ()


def test_names_repeat_but_codes_do_not() -> None:
    """Two areas of one name are two areas, known by their codes; the same code twice is refused."""
    boundaries = read(a_feature([SQUARE], code="E1"), a_feature([FAR_AWAY], code="E2"))
    assert [area.area_id for area in boundaries.areas] == ["E1", "E2"]
    with pytest.raises(FeatureRefused, match=r"Feature 2 \(E1\) has the code of an earlier feature"):
        read(a_feature([SQUARE], code="E1"), a_feature([FAR_AWAY], code="E1"))


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        (a_feature([SQUARE], code=None), r"Feature 1 has no WD25CD"),
        (a_feature([SQUARE], code="E7", name="  "), r"Feature 1 \(E7\) has no WD25NM"),
        ({"type": "Feature", "geometry": None}, r"Feature 1 has no properties"),
        ({**a_feature([SQUARE]), "geometry": None}, r"Feature 1 \(E1\) is not a polygon .* but nothing"),
        (a_feature(type="Point", coordinates=[1, 2]), r"Feature 1 \(E1\) is not a polygon .* but Point"),
        (a_feature([[[0, 0], [1, 1]]]), r"Feature 1 \(E1\) has a ring that cannot be read"),
        (a_feature([[["x", "y"]] * 4]), r"Feature 1 \(E1\) has a ring that cannot be read"),
        (a_feature([None]), r"Feature 1 \(E1\) has a ring that cannot be read"),
        (a_feature([]), r"Feature 1 \(E1\) has a ring that cannot be read"),
        (a_feature([[[0, 0], [50, 50], [100, 100], [0, 0]]]), r"Feature 1 \(E1\) encloses no ground"),
        (a_feature([[SQUARE[0], [float("nan"), 0], *SQUARE[2:]]]), r"Feature 1 \(E1\) lies outside Great Britain"),
        ("not a feature", r"Feature 1 has no properties"),
    ],
)
def test_a_feature_that_cannot_be_used_is_named(feature: Any, reason: str) -> None:
    """Nothing is left out silently: the error says which feature and why."""
    with pytest.raises(FeatureRefused, match=reason):
        read(feature)


def test_swapped_longitude_and_latitude_are_noticed() -> None:
    """Latitude first, the usual mistake, lands in the Indian Ocean and is refused."""
    ring = [[51.45, -2.60], [51.45, -2.59], [51.46, -2.59], [51.45, -2.60]]
    with pytest.raises(FeatureRefused, match="swapped"):
        read(a_feature([ring]), crs=None)


def test_a_coordinate_system_we_do_not_read_is_refused() -> None:
    """Web Mercator numbers are not metres on the grid."""
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    with pytest.raises(BoundaryFileRefused, match="EPSG::3857"):
        read(a_feature([SQUARE]), crs=crs)


@pytest.mark.parametrize("content", ["", "[]", '{"features": {}}', '{"features": []}', "\x00"])
def test_a_file_that_is_no_boundary_file_is_refused(tmp_path: Path, content: str) -> None:
    """Empty, broken or of another kind: refused before anything is loaded."""
    file = tmp_path / "areas.geojson"
    file.write_text(content)
    with pytest.raises(BoundaryFileRefused):
        read_geojson(file, WARDS, force_id="avon-and-somerset", boundary_version="1")


@pytest.mark.parametrize(
    ("longitude", "latitude"),
    [(0.0, 0.0), (-2.59, 0.0), (51.45, -2.59), (2.35, 51.5), (float("nan"), 51.5), (-2.59, float("nan"))],
)
def test_a_place_outside_great_britain_is_refused(longitude: float, latitude: float) -> None:
    """Zero stands for blank in real rows; swapped and missing numbers are refused as well."""
    with pytest.raises(OutsideGreatBritain):
        from_wgs84(longitude=longitude, latitude=latitude)


def test_the_meridian_of_greenwich_is_a_real_longitude() -> None:
    """Longitude 0.0 with a latitude is a place, not a blank."""
    assert from_wgs84(longitude=0.0, latitude=51.48).easting == pytest.approx(538_980, abs=5)


def test_there_and_back_is_the_same_place() -> None:
    """A grid point survives the way to degrees and back to within a centimetre."""
    place = GridPoint(358_364.0, 172_733.0)
    longitude, latitude = place.to_wgs84()
    again = from_wgs84(longitude=longitude, latitude=latitude)
    assert (again.easting, again.northing) == pytest.approx((place.easting, place.northing), abs=0.01)
