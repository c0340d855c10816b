"""`walkandtalk areas`: new boundaries are looked at, taken, and given back, over real postcodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from shared.cli import app
from shared.geography.boundaries import read_geojson
from shared.geography.versions import as_geojson
from tests.servers.forces_folder import OURS, forces_folder
from tests.servers.lacking import named

FORCE = "metropolitan"
PROJECT = Path(__file__).parents[2]
REAL_DATA = PROJECT.parent / "shared" / "data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return forces_folder(tmp_path, {})


@pytest.fixture
def real_data() -> None:
    """As in test_geography_real_places: a bare clone has none."""
    if not REAL_DATA.is_dir():
        named.add("the real ward and postcode files (../shared/data)")
        pytest.skip("the real ward and postcode files (../shared/data) are not beside the project")


def areas(folder: Path, *words: str | Path, typed: str | None = None) -> Result:
    environment = {
        "WALKANDTALK_FORCES_DIR": str(folder),
        "WALKANDTALK_POSTCODES_DIR": str(PROJECT / ".walkandtalk" / "data"),
        "COLUMNS": "200",
    }
    return CliRunner().invoke(app, ["areas", *map(str, words)], env=environment, input=typed)


def redrawn(tmp_path: Path) -> Path:
    """The demo's areas with SE1 given to SE16's team and left without ground, and another name for SW2."""
    found = read_geojson(OURS / FORCE / "areas.geojson", force_id=FORCE).areas
    collection = json.loads(as_geojson([area for area in found if area.area_id != "se1"]))
    for feature in collection["features"]:
        if feature["properties"]["area_id"] == "sw2":
            feature["properties"]["name"] = "SW2 Tulse Hill"
    file = tmp_path / "redrawn.geojson"
    file.write_text(json.dumps(collection), encoding="utf-8")
    return file


def report(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_check_says_what_would_change_and_changes_nothing(folder: Path, tmp_path: Path) -> None:
    """An area and its team gone, its ground a gap, its real postcodes nobody's or the neighbours'; in both forms."""
    before = (folder / FORCE / "areas.geojson").read_bytes()
    told = report(areas(folder, "check", FORCE, redrawn(tmp_path), "--json"))
    assert (told["areas_gone"], told["areas_new"], told["teams_gone"]) == (["se1"], [], ["se1"])
    assert [one["becomes"] for one in told["areas_renamed"]] == ["SW2 Tulse Hill"]
    assert told["gaps"][0]["was"] == ["se1"] and told["gaps"][0]["square_metres"] > 1_000_000
    assert 51.48 < told["gaps"][0]["latitude"] < 51.52
    [left, *taken] = told["elsewhere"]
    assert (left["was"], left["becomes"]) == ("se1", None) and left["postcodes"] > 1_000
    assert all(one["was"] == "se1" and one["becomes"] for one in taken)
    assert all(example.startswith(("SE1", "EC", "SW", "WC", "E1", "E98")) for example in left["examples"])
    assert (
        told["postcodes_elsewhere"]
        == told["postcodes_to_another_team"]
        == sum(one["postcodes"] for one in told["elsewhere"])
    )
    assert told["postcodes"] > 20_000 > told["postcodes_to_the_nearest"] > 0
    said = areas(folder, "check", FORCE, redrawn(tmp_path)).stdout
    assert "metropolitan: 17 areas today, 16 then" in said
    assert "from se1 SE1 Bermondsey, Borough and Waterloo to nobody (triage): " in said
    assert (folder / FORCE / "areas.geojson").read_bytes() == before


def test_taken_boundaries_are_in_force_and_can_be_given_back(folder: Path, tmp_path: Path) -> None:
    """What was in force is kept though it is a link or was written by hand; going back brings it byte for byte."""
    file = folder / FORCE / "areas.geojson"
    before = file.read_bytes()
    took = areas(folder, "take", FORCE, redrawn(tmp_path), "--as", "2026-12", "--yes")
    assert took.exit_code == 0, took.stderr
    assert "2026-12 is in force for every service from its next start" in took.stderr
    now = read_geojson(file, force_id=FORCE).areas
    assert (len(now), {area.boundary_version for area in now}) == (16, {"2026-12"})
    assert areas(folder, "versions", FORCE).stdout.splitlines() == [
        "2026-12: 16 areas, in force",
        "postcodes-2026.1.1: 17 areas",
    ]
    back = areas(folder, "back", FORCE, "postcodes-2026.1.1", "--yes")
    assert back.exit_code == 0, back.stderr
    assert "areas new: 1\n  se1" in back.stdout
    assert file.read_bytes() == before == (OURS / FORCE / "areas.geojson").read_bytes()
    assert areas(folder, "back", FORCE, "2026-13", "--yes").exit_code == 1


def test_nothing_is_taken_before_somebody_says_so(folder: Path, tmp_path: Path) -> None:
    """The report comes first; anything but yes leaves all as it was."""
    before = sorted(path.name for path in (folder / FORCE).iterdir())
    refused = areas(folder, "take", FORCE, redrawn(tmp_path), typed="n\n")
    assert refused.exit_code == 1
    assert "areas gone: 1" in refused.stdout and "Take these boundaries?" in refused.stderr
    assert sorted(path.name for path in (folder / FORCE).iterdir()) == before


def test_a_file_that_cannot_be_used_is_named_with_its_feature(folder: Path, tmp_path: Path) -> None:
    """On standard error, exit 1, nothing taken."""
    file = tmp_path / "wrong.geojson"
    file.write_text('{"type": "FeatureCollection", "features": [{"properties": {"area_id": "a"}, "geometry": null}]}')
    refused = areas(folder, "take", FORCE, file, "--yes")
    assert (refused.exit_code, refused.stderr.strip()) == (1, "wrong.geojson: Feature 1 (a) has no name.")
    assert areas(folder, "check", "northshire", file).exit_code == 2


def test_real_wards_of_another_year_are_compared_over_real_postcodes(folder: Path, real_data: None) -> None:
    """TopoJSON of 2013 after GeoJSON of 2025: codes of either year are found out, and all of Southwark is a gap."""
    took = areas(
        folder, "take", FORCE, REAL_DATA / "central_south_wards_WD25.geojson", "--as", "wd25", "--yes", "--json"
    )
    assert report(took)["areas_then"] == 48
    told = report(areas(folder, "check", FORCE, REAL_DATA / "raw_E09000022_WD13.topojson", "--json"))
    assert (told["areas_today"], told["areas_then"]) == (48, 21)
    assert told["read_by"] == ["code from WD13CD, name from WD13NM, each area a team of its own"]
    assert max(gap["square_metres"] for gap in told["gaps"]) > 25_000_000
    nobody = sum(one["postcodes"] for one in told["elsewhere"] if one["becomes"] is None)
    assert told["postcodes"] > 20_000 and nobody > 8_000
