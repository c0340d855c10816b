"""The registers a force keeps in its folder: officers and areas, and how they fit the demo's people."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.assignment.registers import Registers, main, read_officers
from shared.contracts.kinds import OfficerKind, Point
from shared.contracts.walks import RoutedBy
from shared.embedded.demo_people import people
from shared.policies import Policies, PolicyFault
from tests.servers.forces_folder import forces_folder

FORCES = Path(__file__).resolve().parents[2] / "deploy" / "forces"
POLICIES = Policies.read(FORCES)
REGISTERS = Registers(FORCES, POLICIES.forces)


@pytest.mark.parametrize("force_id", POLICIES.forces)
def test_the_officers_of_the_demo_are_those_who_can_sign_in(force_id: str) -> None:
    """Same subjects, names and teams in the register and at the identity provider."""
    sign_in = {(one.sub, one.name, one.team_id) for one in people() if one.force_id == force_id and one.team_id}
    assert {(one.id, one.name, one.team_id) for one in REGISTERS.officers[force_id]} == sign_in


@pytest.mark.parametrize("force_id", POLICIES.forces)
def test_every_area_of_the_demo_has_an_officer_who_may_walk(force_id: str) -> None:
    """Trained, of a kind the policy names, and walking for the area's team."""
    allowed = POLICIES[force_id].walks.officers
    covered = {
        team_id
        for officer in REGISTERS.officers[force_id]
        if officer.trained_on and officer.kind in allowed
        for team_id in officer.team_ids
    }
    assert {area.team_id for area in REGISTERS.areas[force_id]} - covered == set()


@pytest.mark.parametrize("force_id", POLICIES.forces)
def test_no_officer_walks_for_a_team_the_force_does_not_have(force_id: str) -> None:
    """A slip in the file would hide walks from nobody and confuse everybody."""
    known = {area.team_id for area in REGISTERS.areas[force_id]}
    assert {team for officer in REGISTERS.officers[force_id] for team in officer.team_ids} - known == set()


def test_a_place_is_located_in_its_own_force_alone() -> None:
    """Lambeth lies outside every area of Avon and Somerset, and the reason for a hit is said."""
    lambeth = Point(latitude=51.4934, longitude=-0.1186)
    bristol = Point(latitude=51.4545, longitude=-2.5879)
    found, outside = REGISTERS.locate("avon-and-somerset", [(bristol,), (lambeth,)])
    assert found is not None and (found.area_id, found.how, found.distance_m) == ("bs1", RoutedBy.COVERS, 0.0)
    assert outside is None
    (inside,) = REGISTERS.locate("metropolitan", [(lambeth,)])
    assert inside is not None


def test_teams_without_an_area_and_areas_without_an_officer_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After new boundaries: nothing is refused, and nobody finds out by a walk that waits."""
    folder = forces_folder(tmp_path, {})
    assert main(folder) == 0
    assert "teams" not in capsys.readouterr().out
    file = folder / "metropolitan" / "areas.geojson"
    text = file.read_text("utf-8").replace('"team_id":"se1"', '"team_id":"south-bank"')
    file.unlink()
    file.write_text(text, "utf-8")
    assert main(folder) == 0
    told = capsys.readouterr().out
    assert "metropolitan: officers walk for teams without an area: se1\n" in told
    assert "metropolitan: teams nobody in officers.yaml walks for: south-bank\n" in told


def test_a_force_without_files_has_no_officers_and_routes_by_hand(tmp_path: Path) -> None:
    """Nothing fails at start."""
    empty = Registers(tmp_path, ["northvale"])
    assert empty.officers == {"northvale": ()}
    assert empty.locate("northvale", [(Point(latitude=51.5, longitude=-2.5),)]) == [None]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("officers: []", "officers"),
        ("officers:\n  - {officer_id: a, name: A, kind: dragon, team_id: t}", "officers.0.kind"),
        ("officers:\n  - {officer_id: a, name: A, kind: pcso, team_id: t, rank: 1}", "officers.0.rank"),
        (
            "officers:\n  - {officer_id: a, name: A, kind: pcso, team_id: t}\n"
            "  - {officer_id: a, name: B, kind: pcso, team_id: t}",
            "a stands twice",
        ),
        ("officers: [", "cannot be read as YAML"),
    ],
)
def test_a_wrong_officers_file_is_refused_at_start_by_file_and_field(tmp_path: Path, text: str, fault: str) -> None:
    """One sentence says where to look."""
    path = tmp_path / "officers.yaml"
    path.write_text(text)
    with pytest.raises(PolicyFault, match=fault) as caught:
        read_officers(path, "northvale")
    assert str(path) in str(caught.value)


def test_an_officer_without_training_is_on_the_register(tmp_path: Path) -> None:
    """And walks for their own team without being told so twice."""
    path = tmp_path / "officers.yaml"
    path.write_text("officers:\n  - {officer_id: a, name: A, kind: pcso, team_id: t, also_walks_in: [u]}")
    (officer,) = read_officers(path, "northvale")
    assert (officer.kind, officer.trained_on, officer.team_ids) == (OfficerKind.PCSO, None, frozenset({"t", "u"}))
