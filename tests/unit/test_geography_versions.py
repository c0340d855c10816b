"""Boundaries by version in a force's folder: one in force, the others kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapely.geometry import Point, Polygon, box

from shared.geography import versions
from shared.geography.boundaries import Area, BoundaryFileRefused
from shared.geography.versions import NotAVersion, Version, VersionTaken, VersionUnknown

SQUARE = box(358_000, 172_000, 359_000, 173_000)
MIDDLE = Point(358_500, 172_500)
ROUND = Polygon(MIDDLE.buffer(400).exterior, [MIDDLE.buffer(100).exterior])


def an_area(code: str = "aw1", name: str = "Ashley & “St Pauls”") -> Area:
    return Area("north", code, name, "central", "Central team", "drawn", SQUARE if code == "aw1" else ROUND)


@pytest.fixture
def force(tmp_path: Path) -> Path:
    folder = tmp_path / "north"
    folder.mkdir()
    return folder


def test_what_is_taken_is_what_services_read(force: Path) -> None:
    """Codes, names, teams and the new version's name; each shape to within a millimetre along its edge, holes too."""
    versions.take(force, [an_area(), an_area("aw2")], "2026-11")
    taken = versions.in_force(force)
    assert [(one.area_id, one.name, one.team_id, one.team_name, one.boundary_version) for one in taken] == [
        ("aw1", "Ashley & “St Pauls”", "central", "Central team", "2026-11"),
        ("aw2", "Ashley & “St Pauls”", "central", "Central team", "2026-11"),
    ]
    for was, now in zip([SQUARE, ROUND], taken, strict=True):
        assert was.symmetric_difference(now.geometry).area < was.length * 0.002


def test_what_was_in_force_is_kept_and_comes_back_as_it_was(force: Path) -> None:
    """Byte for byte, and as often as somebody changes their mind."""
    versions.take(force, [an_area()], "one")
    first = (force / "areas.geojson").read_bytes()
    versions.take(force, [an_area("aw2")], "two")
    assert versions.versions(force) == [Version("one", 1, False), Version("two", 1, True)]
    versions.back(force, "one")
    assert (force / "areas.geojson").read_bytes() == first
    assert versions.versions(force) == [Version("one", 1, True), Version("two", 1, False)]
    assert versions.kept(force, "two")[0].area_id == "aw2"


def test_a_file_written_by_hand_is_kept_before_another_is_taken(force: Path) -> None:
    """Under the version it gives itself, or beside one that has that name already."""
    for number in (1, 2):
        by_hand = versions.as_geojson([an_area(name=f"Hand {number}")]).replace("drawn", "Spring 2026")
        (force / "areas.geojson").write_text(by_hand)
        versions.take(force, [an_area("aw2")], f"new-{number}")
        assert by_hand in [file.read_text() for file in (force / "areas").iterdir()]
    kept = [one.name for one in versions.versions(force)]
    assert kept == ["new-1", "new-2", "spring-2026", "spring-2026.2"]


def test_a_version_is_never_overwritten_by_another(force: Path) -> None:
    """The same again is no change; anything else wants a name of its own, and leaves all as it was."""
    versions.take(force, [an_area()], "one")
    versions.take(force, [an_area()], "one")
    with pytest.raises(VersionTaken):
        versions.take(force, [an_area("aw2")], "one")
    assert versions.in_force(force)[0].area_id == "aw1"


@pytest.mark.parametrize("name", ["", "../policy", "One", "a/b", ".hidden", "x" * 50])
def test_a_name_that_is_no_files_name_is_refused(force: Path, name: str) -> None:
    """It must not lead out of the folder."""
    with pytest.raises(NotAVersion):
        versions.take(force, [an_area()], name)
    with pytest.raises(VersionUnknown):
        versions.back(force, name)
    assert list(force.iterdir()) == []


def test_nothing_unfinished_is_left(force: Path) -> None:
    """Only whole files, which the services may read."""
    versions.take(force, [an_area()], "one")
    files = [file for file in force.rglob("*") if file.is_file()]
    assert sorted(file.name for file in files) == ["areas.geojson", "one.geojson"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o644}


def test_a_force_without_boundaries_has_no_versions(force: Path) -> None:
    """Which is no fault."""
    assert (versions.versions(force), versions.in_force(force)) == ([], ())


def test_a_file_in_force_that_cannot_be_read_is_named(force: Path) -> None:
    """By its path, before anything is changed."""
    (force / "areas.geojson").write_text("{}")
    with pytest.raises(BoundaryFileRefused, match=r"areas\.geojson: A boundary file is"):
        versions.take(force, [an_area()], "one")
    assert not (force / "areas").exists()
