"""The forms in which boundaries come from others: what each is read as, and what is said of what cannot be."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from shapely.geometry import box

from shared.geography.boundaries import Area, BoundaryFileRefused
from shared.geography.files import Named, as_code, read_boundaries

# Two squares beside each other in Bristol, and one inside the first.
WEST = [[-2.60, 51.45], [-2.59, 51.45], [-2.59, 51.46], [-2.60, 51.46], [-2.60, 51.45]]
EAST = [[-2.59, 51.45], [-2.58, 51.45], [-2.58, 51.46], [-2.59, 51.46], [-2.59, 51.45]]
INNER = [[-2.597, 51.452], [-2.593, 51.452], [-2.593, 51.457], [-2.597, 51.457], [-2.597, 51.452]]
BOW_TIE = [[-2.60, 51.45], [-2.59, 51.46], [-2.59, 51.45], [-2.60, 51.46], [-2.60, 51.45]]

WARDS = [
    {"WD25CD": "E05000001", "WD25NM": "Ashley", "LAD25CD": "E06000023", "LAD25NM": "Bristol"},
    {"WD25CD": "E05000002", "WD25NM": "Easton", "LAD25CD": "E06000023", "LAD25NM": "Bristol"},
]


def geojson(file: Path, properties: list[dict[str, Any]], rings: list[Any]) -> Path:
    features = [
        {"type": "Feature", "properties": row, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for row, ring in zip(properties, rings, strict=True)
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def kml(file: Path, name: str, outer: list[list[float]], inner: list[list[float]] | None = None) -> Path:
    """A neighbourhood as forces publish it: heights on every position."""

    def ring(points: list[list[float]], side: str) -> str:
        text = " ".join(f"{east},{north},7.5" for east, north in points)
        return f"<{side}><LinearRing><coordinates>{text}</coordinates></LinearRing></{side}>"

    file.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
        f"<name>{name}</name><Polygon>{ring(outer, 'outerBoundaryIs')}{ring(inner, 'innerBoundaryIs') if inner else ''}"
        "</Polygon></Placemark></Document></kml>"
    )
    return file


def answer(file: Path, ring: list[list[float]]) -> Path:
    """As `/<force>/<code>/boundary` answers: texts, one flat ring."""
    file.write_text(json.dumps([{"latitude": str(north), "longitude": str(east)} for east, north in ring]))
    return file


def read(*paths: Path, named: Named = Named(), version: str | None = "v1") -> tuple[Area, ...]:  # noqa: B008 (frozen)
    found = read_boundaries(paths, named, force_id="avon-and-somerset", boundary_version=version)
    return found.boundaries.areas


@pytest.mark.parametrize("year", ["13", "25", "31"])
def test_property_names_of_any_year_are_found_out(tmp_path: Path, year: str) -> None:
    """The code that differs from area to area, not the council's, whatever year the names carry."""
    rows = [{name.replace("25", year): value for name, value in row.items()} for row in WARDS]
    found = read_boundaries([geojson(tmp_path / "w.geojson", rows, [WEST, EAST])], force_id="a", boundary_version="v")
    assert [(area.area_id, area.name, area.team_id) for area in found.boundaries.areas] == [
        ("e05000001", "Ashley", "e05000001"),
        ("e05000002", "Easton", "e05000002"),
    ]
    assert found.named == (f"code from WD{year}CD, name from WD{year}NM, each area a team of its own",)


def test_properties_a_force_names_itself_are_told(tmp_path: Path) -> None:
    """Code, name and team by the names that are given."""
    rows = [{"ref": "AW 1", "title": "Ashley", "npt": "Central", "label": "Central team"}]
    named = Named("ref", "title", "npt", "label")
    [area] = read(geojson(tmp_path / "w.json", rows, [WEST]), named=named)
    assert (area.area_id, area.name, area.team_id, area.team_name) == ("aw-1", "Ashley", "central", "Central team")


def test_a_file_of_our_own_says_its_teams_and_version_itself(tmp_path: Path) -> None:
    """What `areas take` wrote is read without being told anything."""
    row = {"area_id": "bs1", "name": "BS1", "team_id": "t1", "team_name": "One", "boundary_version": "2026-11"}
    [area] = read(geojson(tmp_path / "areas.geojson", [row], [WEST]), version=None)
    assert (area.team_id, area.boundary_version) == ("t1", "2026-11")


def test_a_folder_of_kml_is_a_neighbourhood_a_file(tmp_path: Path) -> None:
    """Codes are the files' names, dots and capitals included; names stand inside; heights are left out."""
    kml(tmp_path / "AW1.02.kml", "Ashley &amp; St Pauls", WEST)
    kml(tmp_path / "AW2.kml", "Easton", EAST)
    areas = read(tmp_path)
    assert [(area.area_id, area.name) for area in areas] == [("aw1.02", "Ashley & St Pauls"), ("aw2", "Easton")]
    assert not any(shapely.has_z(area.geometry) for area in areas)


def test_holes_of_kml_are_kept(tmp_path: Path) -> None:
    """A neighbourhood around another has the other's ground as a hole."""
    [area] = read(kml(tmp_path / "ring.kml", "Ring", WEST, INNER))
    assert shapely.get_num_interior_rings(area.geometry) == 1


def test_kml_of_one_neighbourhood_may_cross_itself_and_is_told(tmp_path: Path) -> None:
    """Some published rings are invalid: mended, with what was wrong and how much ground differs."""
    found = read_boundaries([kml(tmp_path / "AW1.kml", "Ashley", BOW_TIE)], force_id="a", boundary_version="v")
    [mended] = found.boundaries.mended
    assert (mended.area_id, "Self-intersection" in mended.reason) == ("aw1", True)
    assert found.boundaries.areas[0].geometry.is_valid


def test_kml_with_a_ring_left_open_is_read(tmp_path: Path) -> None:
    """The last position is the first again, whether or not the file says so."""
    [area] = read(kml(tmp_path / "AW1.kml", "Ashley", WEST[:-1]))
    assert area.geometry.area == pytest.approx(read(kml(tmp_path / "AW2.kml", "Ashley", WEST))[0].geometry.area)


def test_answers_of_the_api_are_read_with_their_names(tmp_path: Path) -> None:
    """Texts for numbers, entities in names; a code the list does not name is its own name."""
    answer(tmp_path / "NC04.json", WEST)
    answer(tmp_path / "NC05.json", EAST)
    (tmp_path / "neighbourhoods.json").write_text(json.dumps([{"id": "NC04", "name": "Ashley &amp; St Pauls"}]))
    assert [(area.area_id, area.name) for area in read(tmp_path)] == [("nc04", "Ashley & St Pauls"), ("nc05", "NC05")]


def test_topojson_shares_its_lines_between_neighbours(tmp_path: Path) -> None:
    """Arcs in numbers small enough to send become the shapes they were, under either ending."""
    topology = {
        "type": "Topology",
        "transform": {"scale": [0.01, 0.01], "translate": [-2.60, 51.45]},
        "arcs": [[[1, 0], [0, 1]], [[1, 1], [-1, 0], [0, -1], [1, 0]], [[1, 0], [1, 0], [0, 1], [-1, 0]]],
        "objects": {
            "wards": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Polygon", "arcs": [[0, 1]], "properties": WARDS[0]},
                    {"type": "Polygon", "arcs": [[2, -1]], "properties": WARDS[1]},
                ],
            }
        },
    }
    for name in ("w.topojson", "w.json"):
        (tmp_path / name).write_text(json.dumps(topology))
        west, east = read(tmp_path / name)
        assert (west.area_id, east.area_id) == ("e05000001", "e05000002")
        [straight] = read(geojson(tmp_path / "straight.geojson", WARDS[:1], [WEST]), named=Named("WD25CD"))
        assert west.geometry.symmetric_difference(straight.geometry).area < 1
        assert west.geometry.intersection(east.geometry).area == 0


def test_a_shapefile_in_a_zip_is_read_on_its_own_grid(tmp_path: Path) -> None:
    """As forces' own systems export it: in EPSG:27700, several files in one."""
    shape = shapely.to_wkb(box(358_000, 172_000, 359_000, 173_000))
    pyogrio.raw.write(
        tmp_path / "beats.shp",
        geometry=np.asarray([shape], dtype=object),
        field_data=[np.asarray(["B1"]), np.asarray(["Ashley"])],
        fields=["BEAT", "TITLE"],
        geometry_type="Polygon",
        crs="EPSG:27700",
    )
    with zipfile.ZipFile(tmp_path / "beats.zip", "w") as archive:
        for part in tmp_path.glob("beats.[!z]*"):
            archive.write(part, part.name)
    [area] = read(tmp_path / "beats.zip", named=Named("BEAT", "TITLE"))
    assert (area.area_id, area.name) == ("b1", "Ashley")
    assert area.geometry.equals(box(358_000, 172_000, 359_000, 173_000))


def test_several_files_are_one_force(tmp_path: Path) -> None:
    """Two boroughs of one force in two files, one of them TopoJSON another time; all their areas, in their order."""
    one = geojson(tmp_path / "one.geojson", WARDS[:1], [WEST])
    two = geojson(tmp_path / "two.geojson", WARDS[1:], [EAST])
    assert [area.area_id for area in read(one, two, named=Named("WD25CD", "WD25NM"))] == ["e05000001", "e05000002"]


def test_a_neighbourhood_drawn_inside_another_stays_both(tmp_path: Path) -> None:
    """Nothing is cut out while reading: who has the ground is decided, and told, when places are routed."""
    areas = read(kml(tmp_path / "a.kml", "Outer", WEST), kml(tmp_path / "b.kml", "Inner", INNER))
    assert areas[0].geometry.contains(areas[1].geometry)


def test_waiting_for_many_files_is_shown(tmp_path: Path) -> None:
    """Each file is a step of the way."""
    for code in ("a", "b", "c"):
        kml(tmp_path / f"{code}.kml", code, WEST)
    told: list[tuple[int, int]] = []
    read_boundaries([tmp_path], force_id="a", boundary_version="v", step=lambda _, done, of: told.append((done, of)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def wrong(folder: Path, name: str) -> Path:
    """A file with something wrong in it, by what that is."""
    match name:
        case "twice":
            geojson(folder / "a.geojson", [{"code": "AW1", "name": "Ashley"}], [WEST])
            return geojson(folder / "b.geojson", [{"code": "aw1", "name": "Easton"}], [EAST])
        case "no code":
            return geojson(folder / "c.geojson", [{"fid": 1, "area": 7}], [WEST])
        case "two kinds of code":
            return geojson(folder / "d.geojson", [{"WD25CD": "a", "LSOA21CD": "b"}], [WEST])
        case "empty code":
            return geojson(folder / "e.geojson", [{"WD25CD": "", "WD25NM": "Ashley"}], [WEST])
        case "swapped":
            return geojson(folder / "f.geojson", [{"WD25CD": "a", "WD25NM": "A"}], [[point[::-1] for point in WEST]])
        case "line":
            (folder / "g.kml").write_text(
                '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>A road</name><LineString><coordinates>'
                "-2.6,51.45 -2.5,51.46</coordinates></LineString></Placemark></kml>"
            )
            return folder / "g.kml"
        case "broken xml":
            (folder / "h.kml").write_text("<kml><Placemark>")
            return folder / "h.kml"
        case "broken json":
            (folder / "i.json").write_text("{")
            return folder / "i.json"
        case "no numbers":
            (folder / "j.json").write_text(json.dumps([{"latitude": None, "longitude": "-2.6"}]))
            return folder / "j.json"
        case "a picture":
            (folder / "k.png").write_bytes(b"PNG")
            return folder / "k.png"
        case "no areas":
            (folder / "l.json").write_text('{"forces": []}')
            return folder / "l.json"
        case _:
            (folder / "empty").mkdir()
            return folder / "empty"


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("no code", "c.geojson: say which property holds each area’s code (--code). It has area, fid."),
        (
            "two kinds of code",
            "d.geojson: say which property holds each area’s code (--code). It has LSOA21CD, WD25CD.",
        ),
        ("empty code", "e.geojson: Feature 1 has no WD25CD."),
        ("swapped", "f.geojson: Feature 1 (a) lies outside Great Britain, or has longitude and latitude swapped."),
        ("line", "g.kml: Feature 1 (g) is not a polygon or a multipolygon but LineString."),
        ("broken xml", "h.kml cannot be read: "),
        ("broken json", "i.json cannot be read: "),
        ("no numbers", "j.json is no list of points with latitude and longitude."),
        ("a picture", "k.png: boundaries come as GeoJSON, TopoJSON, KML, GeoPackage (.gpkg) or a shapefile in a ZIP."),
        ("no areas", "l.json is neither GeoJSON, TopoJSON nor a boundary of data.police.uk."),
        ("empty folder", "empty holds no boundary file "),
    ],
)
def test_what_cannot_be_used_is_named_by_file_and_feature(tmp_path: Path, what: str, told: str) -> None:
    """Whoever has thirty files knows which to look into."""
    with pytest.raises(BoundaryFileRefused) as refused:
        read(wrong(tmp_path, what))
    assert refused.value.message.startswith(told)


def test_one_code_in_two_files_is_refused_though_written_otherwise(tmp_path: Path) -> None:
    """Codes are small letters here, so AW1 and aw1 would be one area."""
    wrong(tmp_path, "twice")
    with pytest.raises(BoundaryFileRefused) as refused:
        read(tmp_path, named=Named("code", "name"))
    assert refused.value.message == "b.geojson: aw1 has the code of Ashley in a.geojson."


def test_a_property_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """A mistyped --team is no reason to give every area a team of its own."""
    file = geojson(tmp_path / "w.geojson", WARDS[:1], [WEST])
    with pytest.raises(BoundaryFileRefused) as refused:
        read(file, named=Named("WD25CD", team_id="TEAM"))
    assert refused.value.message == "w.geojson has no property TEAM. It has LAD25CD, LAD25NM, WD25CD, WD25NM."


@pytest.mark.parametrize(
    ("written", "code"), [("E05012461", "e05012461"), ("C1.01", "c1.01"), (" N&S 4 ", "n-s-4"), ("_x", "x"), ("ŵ", "")]
)
def test_codes_become_what_events_and_addresses_hold(written: str, code: str) -> None:
    """Small letters, digits, dot, hyphen, underscore."""
    assert as_code(written) == code
