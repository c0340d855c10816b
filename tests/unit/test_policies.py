"""A force's policy file: read once, refused with a sentence that says where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.contracts.kinds import Reason
from shared.policies import Policies, PolicyFault

FORCES = Path(__file__).parents[2] / "deploy" / "forces"

GOOD = """
force_id: wiltshire
version: 1
name: Wiltshire Police
partners:
  - partner_id: a-council
    name: A Council
    kind: council
    agreed_on: 2025-01-06
    coverage: [{}]
"""


def written(folder: Path, text: str, force: str = "wiltshire") -> Path:
    (folder / force).mkdir()
    (folder / force / "policy.yaml").write_text(text, encoding="utf-8")
    return folder


def fault_of(folder: Path, text: str) -> str:
    with pytest.raises(PolicyFault) as caught:
        Policies.read(written(folder, text))
    return str(caught.value)


def test_policy_is_found_by_its_force(tmp_path: Path) -> None:
    """What is left out has its default."""
    policies = Policies.read(written(tmp_path, GOOD))
    assert policies.forces == ("wiltshire",)
    assert policies["wiltshire"].walks.minimum_minutes == 0
    assert policies["wiltshire"].partners[0].coverage[0].areas == ()


def test_fault_names_file_and_field(tmp_path: Path) -> None:
    """Whoever writes the file learns which line to mend."""
    fault = fault_of(tmp_path, GOOD.replace("kind: council", "kind: wizard"))
    assert "wiltshire/policy.yaml" in fault
    assert "partners[0].kind" in fault


def test_mistyped_field_is_refused(tmp_path: Path) -> None:
    """A field nobody knows is no silent default."""
    assert "walks.minimum_minuts" in fault_of(tmp_path, GOOD + "walks: {minimum_minuts: 30}\n")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """One reading shows all that is wrong."""
    fault = fault_of(tmp_path, GOOD.replace("version: 1", "version: 0") + "colour: red\n")
    assert "version" in fault
    assert "colour" in fault


def test_policy_in_another_forces_folder_is_refused(tmp_path: Path) -> None:
    """A copied file that still names the other force is noticed."""
    with pytest.raises(PolicyFault, match="force_id"):
        Policies.read(written(tmp_path, GOOD, force="gloucestershire"))


def test_partner_standing_twice_is_refused(tmp_path: Path) -> None:
    """Two entries of one partner would be two agreements."""
    entry = GOOD.partition("partners:\n")[2]
    assert "a-council stands twice" in fault_of(tmp_path, GOOD + entry)


@pytest.mark.parametrize("text", ["", "- a\n", "force_id: [\n"])
def test_file_without_fields_is_refused(tmp_path: Path, text: str) -> None:
    """An empty, listed or broken file is a fault, not a crash."""
    assert "policy.yaml" in fault_of(tmp_path, text)


def test_folder_without_policies_is_refused(tmp_path: Path) -> None:
    """A wrong folder is told at start, not at the first request."""
    with pytest.raises(PolicyFault, match="holds no"):
        Policies.read(tmp_path)


@pytest.fixture(scope="module")
def ours() -> Policies:
    return Policies.read(FORCES)


def test_forces_set_their_own_minimum_length(ours: Policies) -> None:
    """Avon and Somerset sets none; the Met sets 30 minutes (their published schemes)."""
    assert ours["avon-and-somerset"].walks.minimum_minutes == 0
    assert ours["metropolitan"].walks.minimum_minutes == 30


def test_every_category_is_covered_somewhere_in_the_whole_force(ours: Policies) -> None:
    """In the demonstration no concern is left without a partner."""
    for policy in ours.values():
        whole = [c for partner in policy.partners for c in partner.coverage if not c.areas]
        assert {category for c in whole for category in (c.categories or tuple(Reason))} == set(Reason)


def test_areas_of_agreements_are_areas_of_the_force(ours: Policies) -> None:
    """An agreement names no area the force does not have."""
    for force in ours.forces:
        features = json.loads((FORCES / force / "areas.geojson").read_text(encoding="utf-8"))["features"]
        known = {feature["properties"]["area_id"] for feature in features}
        named = {area for partner in ours[force].partners for c in partner.coverage for area in c.areas}
        assert named, "precedence of the narrower coverage should show"
        assert named <= known


def test_demonstration_addresses_reach_nobody(ours: Policies) -> None:
    """Every partner's address is in a domain reserved for examples (RFC 2606)."""
    emails = [partner.email for policy in ours.values() for partner in policy.partners]
    assert all(email is not None and email.endswith(".example") for email in emails)
