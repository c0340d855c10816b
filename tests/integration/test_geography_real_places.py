"""Real postcodes, real wards and the demo forces' areas, together as a service uses them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from shared.geography.areas import AreaIndex, OutsideAllAreas, Route, Routed
from shared.geography.boundaries import Boundaries, PropertyNames, read_geojson
from shared.geography.demo_areas import FORCES, OFFICE, RETIRED_SECTORS, DemoForce, draw
from shared.geography.files import read_boundaries
from shared.geography.grid import GridPoint, OutsideGreatBritain, from_wgs84, many_from_wgs84, many_to_wgs84
from shared.geography.postcodes import Postcodes, PostcodeWithoutPlace, UnknownPostcode, read_directory
from tests.servers.lacking import named

PROJECT = Path(__file__).parents[2]
REAL_DATA = PROJECT.parent / "shared" / "data"
WARDS_2025 = PropertyNames("WD25CD", "WD25NM", team_id=None, team_name=None, boundary_version=None)
WARDS_2013 = PropertyNames("WD13CD", "WD13NM", team_id=None, team_name=None, boundary_version=None)

needs_real_wards = pytest.mark.usefixtures("real_data")

Points = NDArray[np.float64]


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which four processes opened the postcodes at once, over what an earlier crash left behind."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "postcodes-crashed.building").mkdir()
    program = (
        "import sys; from pathlib import Path; from shared.geography.postcodes import Postcodes;"
        "print(Postcodes.open(Path(sys.argv[1])).find('BS1 5TR'))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(folder)], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert len(answers) == 1
    return folder


@pytest.fixture(scope="module")
def postcodes(cache_folder: Path) -> Postcodes:
    return Postcodes.open(cache_folder)


@pytest.fixture(scope="module")
def demo() -> AreaIndex:
    files = [(force.force_id, PROJECT / "deploy/forces" / force.force_id / "areas.geojson") for force in FORCES]
    boundaries = [read_geojson(file, force_id=force_id) for force_id, file in files]
    assert all(read.mended == () for read in boundaries)
    return AreaIndex.build([area for read in boundaries for area in read.areas])


@pytest.fixture(scope="module")
def real_data() -> None:
    """Files that are not copied into the project: a bare clone has none, and is not failed for it by REQUIRE_ALL."""
    if not REAL_DATA.is_dir():
        named.add("the real ward and postcode files (../shared/data)")
        pytest.skip("the real ward and postcode files (../shared/data) are not beside the project")


@pytest.fixture(scope="module")
def wards(real_data: None) -> AreaIndex:
    return AreaIndex.build([*avon_and_somerset_wards().areas, *central_south_wards().areas])


def avon_and_somerset_wards() -> Boundaries:
    file = REAL_DATA / "avon_somerset_wards_WD25.geojson"
    return read_geojson(file, WARDS_2025, force_id="avon-and-somerset", boundary_version="WD25")


def central_south_wards() -> Boundaries:
    file = REAL_DATA / "central_south_wards_WD25.geojson"
    return read_geojson(file, WARDS_2025, force_id="metropolitan", boundary_version="WD25")


def of_councils(councils: Sequence[str], first_letters: str) -> tuple[list[str], Points, Points]:
    """All the directory's postcodes in these council areas that have a place: as the directory spells them, where."""
    texts: list[str] = []
    points: list[Points] = []
    for part in read_directory():
        if part.postcodes[0][0] in first_letters:
            inside = np.isin([council or "" for council in part.councils], councils) & np.isfinite(part.eastings)
            texts += [part.postcodes[row] for row in np.flatnonzero(inside)]
            points.append(np.column_stack([part.eastings, part.northings])[inside])
    eastings, northings = np.concatenate(points).T
    return texts, eastings, northings


def how_routed(routes: Sequence[Route]) -> Counter[str]:
    return Counter(route.how if isinstance(route, Routed) else "outside" for route in routes)


# Postcodes


def test_processes_that_start_at_once_share_one_store(cache_folder: Path) -> None:
    """One folder stands, whole; nothing unfinished is left, of now or of an earlier crash."""
    [store] = [entry for entry in cache_folder.iterdir() if entry.is_dir()]
    assert sorted(file.name for file in store.iterdir()) == ["keys.npy", "places.npy"]
    assert sum(file.stat().st_size for file in store.iterdir()) < 40_000_000


def test_every_postcode_of_the_directory_is_found_where_it_lies(postcodes: Postcodes) -> None:
    """All 2.7 million, spelt as the directory spells them; Northern Ireland's and the islands' have no place here."""
    asked = 0
    for part in read_directory():
        eastings, northings = postcodes.find_many(part.postcodes)
        np.testing.assert_array_equal(eastings, part.eastings)
        np.testing.assert_array_equal(northings, part.northings)
        asked += len(part.postcodes)
    # GIR 0AA alone is of no area.
    assert len(postcodes) == asked - 1 > 2_700_000


@pytest.mark.parametrize(
    ("typed", "easting", "northing"),
    [("bs15tr", 358_270, 172_760), ("SW2 1RW", 530_990, 175_190), ("B1  1AA", 406_649, 286_530)],
)
def test_a_known_place_is_where_the_map_has_it(postcodes: Postcodes, typed: str, easting: int, northing: int) -> None:
    """Bristol's City Hall, Lambeth's Town Hall and Birmingham, to within a street."""
    found = postcodes.find(typed)
    assert abs(found.easting - easting) < 150 and abs(found.northing - northing) < 150


@pytest.mark.parametrize("typed", ["BT1 5GS", "JE2 3XP", "IM1 3PX", "BS1 9XS"])
def test_a_postcode_off_the_grid_is_refused_not_misplaced(postcodes: Postcodes, typed: str) -> None:
    """Belfast's numbers are on the Irish Grid and would land in Lancashire; others have none at all."""
    with pytest.raises(PostcodeWithoutPlace):
        postcodes.find(typed)


def test_a_well_formed_postcode_that_does_not_exist_is_unknown(postcodes: Postcodes) -> None:
    """BS1 has no sector 0."""
    with pytest.raises(UnknownPostcode):
        postcodes.find("BS1 0AA")


def test_a_process_with_the_look_up_stays_small(cache_folder: Path) -> None:
    """A thousand postcodes from all over the country and a thousand places routed, in far under 200 MB."""
    program = """
import json, random, sys
from pathlib import Path
import psutil

def megabytes():
    return psutil.Process().memory_info().rss / 1e6

bare = megabytes()
import numpy, shapely
libraries = megabytes()
from shared.geography import postcodes as module
from shared.geography.areas import AreaIndex
from shared.geography.boundaries import read_geojson

directory = module.Postcodes.open(Path(sys.argv[1]))
chosen = sorted(random.Random(7).sample(range(len(directory)), 1000))
keys = numpy.load(next(Path(sys.argv[1]).glob("postcodes-*/keys.npy")))[chosen]
texts = module._texts(keys)
before = megabytes()
for text in texts:
    try:
        directory.find(text)
    except module.PostcodeWithoutPlace:
        pass
looked_up = megabytes()
index = AreaIndex.build(
    [area for force in ("avon-and-somerset", "metropolitan")
     for area in read_geojson(Path("deploy/forces") / force / "areas.geojson", force_id=force).areas])
eastings, northings = directory.find_many(directory.of_district("BS1")[0][:1000])
index.route_many(eastings, northings)
print(json.dumps({"bare": bare, "libraries": libraries - bare, "look-up": looked_up - before, "all": megabytes()}))
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(cache_folder)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    took = json.loads(run.stdout)
    print("MB resident:", {what: round(size, 1) for what, size in took.items()})  # noqa: T201 (measured, not asserted)
    assert took["look-up"] < 40
    assert took["all"] < 130


# The demo forces' areas


@pytest.mark.parametrize("force", FORCES, ids=lambda force: force.force_id)
def test_the_committed_areas_are_what_the_command_draws(force: DemoForce, demo: AreaIndex) -> None:
    """`python -m shared.geography.demo_areas` would change nothing (a thousandth is left to another machine's GEOS)."""
    drawn = draw(force)
    committed = {area.area_id: area.geometry for area in demo.areas if area.force_id == force.force_id}
    assert [district.lower() for district in drawn] == sorted(committed, key=[*map(str.lower, drawn)].index)
    for district, shape in drawn.items():
        assert committed[district.lower()].symmetric_difference(shape).area < shape.area / 1000


def test_demo_areas_do_not_overlap(demo: AreaIndex) -> None:
    """Neighbours share a line and no ground."""
    shapes = np.asarray([area.geometry for area in demo.areas], dtype=object)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = left < right
    assert shapely.area(shapely.intersection(shapes[left[once]], shapes[right[once]])).sum() < 1


def test_demo_areas_say_whose_data_they_are() -> None:
    """The Open Government Licence asks for the attribution; both files are small."""
    for force in FORCES:
        file = PROJECT / "deploy/forces" / force.force_id / "areas.geojson"
        assert "Open Government Licence" in json.loads(file.read_text("utf-8"))["attribution"]
        assert file.stat().st_size < 1_000_000


@pytest.mark.parametrize("force", FORCES, ids=lambda force: force.force_id)
def test_nearly_every_postcode_is_routed_to_the_area_of_its_own_district(force: DemoForce, demo: AreaIndex) -> None:
    """At least 99 in 100 places with postcodes of each district, and of the postcodes of the force as a whole.

    The directory does not tell retired postcodes from current ones, so three kinds are left out: sectors recoded as a
    whole, delivery offices (a spot of thirty postcodes and more), and a district's few at a spot where another has
    more.
    """
    texts, eastings, northings = of_councils(sorted(force.councils), force.first_letters)
    district = np.asarray([text[:4].strip() for text in texts])
    current = np.isin(district, list(force.districts))
    current &= ~np.isin([f"{text[:4].strip()} {text[4]}" for text in texts], list(RETIRED_SECTORS))
    _, spot, at_spot = np.unique(
        np.column_stack([eastings, northings]), axis=0, return_inverse=True, return_counts=True
    )
    current &= at_spot[spot.reshape(-1)] < OFFICE
    routes = demo.route_many(eastings, northings)
    routed = np.asarray([route.area_id.upper() if isinstance(route, Routed) else "" for route in routes])
    agree = routed == district
    assert agree[current].mean() >= 0.99

    at: dict[int, Counter[str]] = {}
    for row in np.flatnonzero(current).tolist():
        at.setdefault(int(spot.reshape(-1)[row]), Counter())[str(district[row])] += 1
    routed_at = dict(zip(spot.reshape(-1).tolist(), routed.tolist(), strict=True))
    places: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for place, votes in at.items():
        most = max(votes.values())
        if list(votes.values()).count(most) == 1:
            owner = votes.most_common(1)[0][0]
            places[owner] += 1
            right[owner] += routed_at[place] == owner
    assert set(places) == set(force.districts)
    poor = {name: (right[name], total) for name, total in places.items() if right[name] < 0.99 * total}
    assert poor == {}


@pytest.mark.parametrize(
    ("typed", "force_id", "area_id"),
    [
        ("BS1 5TR", "avon-and-somerset", "bs1"),
        ("ba1 1jq", "avon-and-somerset", "ba1"),
        ("TA1 1HE", "avon-and-somerset", "ta1"),
        ("SW2 1RW", "metropolitan", "sw2"),
        ("SE1 2QH", "metropolitan", "se1"),
    ],
)
def test_a_postcode_finds_its_force_and_area(
    postcodes: Postcodes, demo: AreaIndex, typed: str, force_id: str, area_id: str
) -> None:
    """The way of a request: what she types, a point, the area and the force that answer for it."""
    routed = demo.route(postcodes.find(typed).point)
    assert isinstance(routed, Routed)
    assert (routed.force_id, routed.area_id) == (force_id, area_id)
    assert routed.area.team_name == f"{area_id.upper()} neighbourhood team"


@pytest.mark.parametrize("typed", ["M1 1AE", "EH1 1YZ", "CF10 3NP", "EC4M 8AD"])
def test_a_postcode_of_no_demo_force_is_for_triage(postcodes: Postcodes, demo: AreaIndex, typed: str) -> None:
    """Manchester, Edinburgh, Cardiff, and the City of London, which has a force of its own."""
    assert demo.route(postcodes.find(typed).point) == OutsideAllAreas()


# Real wards


@needs_real_wards
def test_real_wards_are_read_as_they_are() -> None:
    """185 wards with a hole and up to seven parts, none of which needs mending."""
    began = time.perf_counter()
    read = avon_and_somerset_wards()
    print(f"185 wards read in {time.perf_counter() - began:.2f} s")  # noqa: T201 (measured, not asserted)
    assert (len(read.areas), read.mended) == (185, ())
    assert max(shapely.get_num_geometries(area.geometry) for area in read.areas) == 7
    holed = [area for area in read.areas if shapely.get_num_interior_rings(area.geometry)]
    assert [area.name for area in holed] == ["Bathavon South"]


@needs_real_wards
def test_what_lies_in_a_wards_hole_is_another_wards() -> None:
    """A village whose ward is ringed by Bathavon South is not Bathavon South's."""
    areas = {area.name: area for area in avon_and_somerset_wards().areas}
    hole = shapely.get_interior_ring(areas["Bathavon South"].geometry, 0)
    middle = shapely.point_on_surface(shapely.Polygon(hole))
    routed = AreaIndex.build(areas.values()).route(GridPoint(middle.x, middle.y))
    assert isinstance(routed, Routed)
    assert (routed.how, routed.area.name != "Bathavon South") == ("covers", True)


@needs_real_wards
def test_every_part_of_a_real_ward_routes_to_it(wards: AreaIndex) -> None:
    """All parts of every ward in several parts, the smallest of them included."""
    for area in wards.areas:
        inside = [shapely.point_on_surface(part) for part in shapely.get_parts(area.geometry)]
        routes = wards.route_many(shapely.get_x(inside), shapely.get_y(inside))
        assert {route.area_id for route in routes if isinstance(route, Routed)} == {area.area_id}


@needs_real_wards
def test_every_boundary_vertex_is_in_some_ward(wards: AreaIndex) -> None:
    """Of 26,000 vertices each is covered, by a ward it belongs to, and the same on every call."""
    vertices = np.concatenate([shapely.get_coordinates(area.geometry) for area in wards.areas])
    routes = wards.route_many(vertices[:, 0], vertices[:, 1])
    assert len(vertices) > 26_000
    assert how_routed(routes) == {"covers": len(vertices)}
    shapes = {area.area_id: area.geometry for area in wards.areas}
    chosen = np.asarray([shapes[route.area_id] for route in routes if isinstance(route, Routed)], dtype=object)
    assert shapely.covers(chosen, shapely.points(vertices)).all()


@needs_real_wards
def test_wards_of_one_name_are_told_apart_by_their_codes() -> None:
    """Bristol's Ashley of 2013 and of 2025 are two areas when both are loaded."""
    old = read_geojson(
        REAL_DATA / "raw_E06000023_WD13.geojson", WARDS_2013, force_id="avon-and-somerset", boundary_version="WD13"
    )
    both = AreaIndex.build([*avon_and_somerset_wards().areas, *old.areas])
    assert len({area.area_id for area in both.areas if area.name == "Ashley"}) == 2


@needs_real_wards
def test_real_postcodes_in_no_ward_go_to_the_nearest_within_two_hundred_metres(wards: AreaIndex) -> None:
    """Of all postcodes of the seven councils the wards cover, the few in harbours and the river are near a ward."""
    councils = ["E06000022", "E06000023", "E06000024", "E06000025", "E06000066", "E09000022", "E09000028"]
    _, eastings, northings = of_councils(councils, "BDEGST")
    began = time.perf_counter()
    routes = wards.route_many(eastings, northings)
    print(f"{len(routes) / (time.perf_counter() - began):,.0f} places routed a second")  # noqa: T201 (measured, not asserted)
    hows = how_routed(routes)
    assert hows["outside"] == 0
    assert 0 < hows["nearest"] < 60
    assert max(route.distance_m for route in routes if isinstance(route, Routed)) < 130


@needs_real_wards
def test_wards_as_topojson_of_another_year_are_the_same_ground() -> None:
    """Lambeth's 21 wards of 2013, WD13CD and WD13NM found out, cover what its 25 of 2025 do."""
    read = read_boundaries(
        [REAL_DATA / "raw_E09000022_WD13.topojson"], force_id="metropolitan", boundary_version="WD13"
    )
    assert (len(read.boundaries.areas), read.named[0][:39]) == (21, "code from WD13CD, name from WD13NM, eac")
    then = shapely.union_all([area.geometry for area in read.boundaries.areas])
    codes = [f"E050{number}" for number in range(14095, 14120)]
    lambeth = [area.geometry for area in central_south_wards().areas if area.area_id in codes]
    assert len(lambeth) == 25
    now = shapely.union_all(lambeth)
    # The older file is drawn with fewer points.
    assert then.symmetric_difference(now).area < 0.03 * now.area


@needs_real_wards
def test_contains_would_lose_every_boundary_vertex_and_covers_none(wards: AreaIndex) -> None:
    """Of an area's own vertices it contains not one; two areas share most, and the smaller has them, then the code."""
    vertices = np.concatenate([shapely.get_coordinates(area.geometry) for area in wards.areas])
    points = np.asarray(shapely.points(vertices), dtype=object)
    shapes = np.asarray([area.geometry for area in wards.areas], dtype=object)
    rows, candidates = shapely.STRtree(shapes).query(points)
    contained = np.asarray(shapely.contains(shapes[candidates], points[rows]))
    own = np.repeat(np.arange(len(shapes)), [len(shapely.get_coordinates(shape)) for shape in shapes])
    assert not contained[own[rows] == candidates].any()
    covered = np.asarray(shapely.covers(shapes[candidates], points[rows]))
    several = 0
    at: dict[int, list[int]] = {}
    for row, candidate in zip(rows[covered].tolist(), candidates[covered].tolist(), strict=True):
        at.setdefault(row, []).append(candidate)
    for row, routed in enumerate(wards.route_many(vertices[:, 0], vertices[:, 1])):
        assert isinstance(routed, Routed)
        ranked = sorted(at[row], key=lambda one: (wards.areas[one].geometry.area, wards.areas[one].area_id))
        assert (routed.area_id, *routed.others) == tuple(wards.areas[one].area_id for one in ranked)
        several += len(ranked) > 1
    assert several > len(vertices) / 2


@needs_real_wards
def test_nearest_in_degrees_would_be_another_ward_for_some(wards: AreaIndex) -> None:
    """A degree east is shorter than one north: of places just off the wards, some would go to the wrong one."""
    whole = shapely.union_all([area.geometry for area in wards.areas])
    off = shapely.get_coordinates(shapely.boundary(whole.buffer(150)))[::3]
    routes = wards.route_many(off[:, 0], off[:, 1])
    shapes = np.asarray([area.geometry for area in wards.areas], dtype=object)
    slowly = [min(shapely.distance(shapes, shapely.Point(*at)).tolist()) for at in off[:200]]
    near = [route for route in routes[:200] if isinstance(route, Routed)]
    assert [round(route.distance_m, 6) for route in near] == [round(metres, 6) for metres in slowly]

    def degrees(coordinates: Points) -> Points:
        return np.column_stack(many_to_wgs84(coordinates[:, 0], coordinates[:, 1]))

    tree = shapely.STRtree(shapely.transform(shapes, degrees))
    in_degrees = np.asarray(tree.nearest(np.asarray(shapely.points(degrees(off)), dtype=object)))
    wrong = sum(
        isinstance(route, Routed) and wards.areas[nearest].area_id not in (route.area_id, *route.others)
        for route, nearest in zip(routes, in_degrees.tolist(), strict=True)
    )
    print(f"nearest in degrees is wrong for {wrong / len(off):.1%} of {len(off):,} places")  # noqa: T201 (measured, not asserted)
    assert wrong > len(off) / 200


@needs_real_wards
@pytest.mark.parametrize(
    ("file", "rows", "covered"), [("postcodes_BS.csv", 46_379, 46_000), ("postcodes_SE.csv", 35_170, 15_000)]
)
def test_every_published_postcode_is_found_and_routed_current_or_not(
    postcodes: Postcodes, wards: AreaIndex, file: str, rows: int, covered: int
) -> None:
    """Four in ten are retired, and people still write them: each that has a place is found where it lies."""
    with (REAL_DATA / file).open() as lines:
        listed = [row for row in csv.DictReader(lines) if row["lat"]]
    eastings, _ = postcodes.find_many([row["Postcode"] for row in listed])
    assert len(listed) == rows
    # The directory is of another month: a handful were made or moved meanwhile.
    assert np.isfinite(eastings).mean() > 0.999
    east, north = many_from_wgs84([float(row["long"]) for row in listed], [float(row["lat"]) for row in listed])
    hows = how_routed(wards.route_many(east, north))
    print(file, hows)  # noqa: T201 (measured, not asserted)
    # Half of the SE postcodes are of boroughs whose wards are not among these.
    assert hows["covers"] > covered


def test_places_that_thousands_of_postcodes_share_are_routed_as_one(postcodes: Postcodes, demo: AreaIndex) -> None:
    """A delivery office: eighteen hundred postcodes on one spot, all to the same area."""
    _, eastings, northings = postcodes.of_district("BS99")
    spots, many = np.unique(np.column_stack([eastings, northings]), axis=0, return_counts=True)
    at = (np.column_stack([eastings, northings]) == spots[many.argmax()]).all(axis=1)
    assert at.sum() > 1_500
    routes = demo.route_many(eastings[at], northings[at])
    assert len({route.area_id for route in routes if isinstance(route, Routed)}) == 1


@pytest.mark.parametrize("typed", ["SE10AA", "se1 0aa", " SE1  0AA ", "SE1\u00a00AA", "B1  1AA", "bs15tr"])
def test_postcodes_are_found_however_real_rows_write_them(postcodes: Postcodes, typed: str) -> None:
    """Without a blank, with two, in small letters, with a blank that does not break."""
    plain = typed.replace("\u00a0", "").replace(" ", "").upper()
    assert postcodes.find(typed) == postcodes.find(f"{plain[:-3]} {plain[-3:]}")


@needs_real_wards
def test_neighbourhoods_do_not_have_wards_names_so_codes_decide() -> None:
    """Of Avon and Somerset's 123 neighbourhoods 32 share a ward's name: wards are demo data, never guessed by name."""
    with (REAL_DATA / "police_neighbourhoods_asp_met.csv").open() as lines:
        names = [row["PFNn"] for row in csv.DictReader(lines) if row["PFA"] == "E23000036"]
    wards_names = {area.name for area in avon_and_somerset_wards().areas}
    assert (len(names), sum(name in wards_names for name in names)) == (123, 32)


@needs_real_wards
def test_a_neighbourhood_drawn_inside_another_keeps_its_real_postcodes(postcodes: Postcodes) -> None:
    """As forces draw them, without a hole: a square in the middle of a ward is the square's, and told as an overlap."""
    areas = list(avon_and_somerset_wards().areas)
    _, eastings, northings = postcodes.of_district("BS1")
    west, south = float(np.median(eastings)) - 250, float(np.median(northings)) - 250
    square = shapely.box(west, south, west + 500, south + 500)
    inner = replace(areas[0], area_id="inner", name="Inner", geometry=square)
    held = shapely.intersects_xy(square, eastings, northings)
    assert held.sum() > 100
    routes = AreaIndex.build([*areas, inner]).route_many(eastings[held], northings[held])
    assert {route.area_id for route in routes if isinstance(route, Routed)} == {"inner"}
    assert all(route.others for route in routes if isinstance(route, Routed))


@needs_real_wards
def test_the_wards_of_a_force_load_in_under_a_second() -> None:
    """Reading, mending, placing on the grid and indexing 185 of them, by the processor's clock."""
    began = time.process_time()
    index = AreaIndex.build(avon_and_somerset_wards().areas)
    index.route(GridPoint(358_000, 172_000))
    took = time.process_time() - began
    print(f"185 wards loaded in {took:.2f} s of processor time")  # noqa: T201 (measured, not asserted)
    assert took < 1


@needs_real_wards
@pytest.mark.parametrize(("file", "rows"), [("postcodes_BS.csv", 177), ("postcodes_SE.csv", 441)])
def test_rows_with_a_blank_latitude_are_refused(file: str, rows: int) -> None:
    """Their longitude says 0.0, a real one in Greenwich; none may be taken for a place."""
    with (REAL_DATA / file).open() as lines:
        blank = [row for row in csv.DictReader(lines) if not row["lat"]]
    assert len(blank) == rows
    for row in blank:
        with pytest.raises(OutsideGreatBritain):
            from_wgs84(longitude=float(row["long"]), latitude=float(row["lat"] or "nan"))


@needs_real_wards
@pytest.mark.parametrize(("file", "metres"), [("postcodes_BS.csv", 1.5), ("postcodes_SE.csv", 2.7)])
def test_degrees_become_metres_to_within_three(postcodes: Postcodes, file: str, metres: float) -> None:
    """Against the published longitudes and latitudes (five decimals) of postcodes that have not moved since."""
    with (REAL_DATA / file).open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["lat"]]
    eastings, northings = postcodes.find_many([row["Postcode"] for row in rows])
    east, north = many_from_wgs84([float(row["long"]) for row in rows], [float(row["lat"]) for row in rows])
    off = np.hypot(east - eastings, north - northings)
    assert np.nanpercentile(off, 97) < metres
