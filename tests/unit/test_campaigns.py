"""The links of a force's campaigns, and QR codes that lead to them."""

from __future__ import annotations

from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from typer.testing import CliRunner

from shared.cli import app
from shared.policies import Policies

FORCES = Path(__file__).parents[2] / "deploy" / "forces"
FORCE = "avon-and-somerset"


def read(picture: Path) -> str:
    """What a QR code says."""
    [found] = zxingcpp.read_barcodes(Image.open(picture).convert("L"))
    return found.text


def test_each_campaign_has_a_link_and_a_code_that_reads_as_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of the force's first page with the campaign's code; printed, and the same in the picture."""
    monkeypatch.setenv("WALKANDTALK_FORCES_DIR", str(FORCES))
    asked = ["campaign-links", FORCE, "--folder", str(tmp_path), "--url", "https://walks.example/"]
    answer = CliRunner().invoke(app, asked)
    assert answer.exit_code == 0, answer.output
    campaigns = Policies.read(FORCES)[FORCE].campaigns
    assert len(campaigns) == 3
    for one in campaigns:
        url = f"https://walks.example/{FORCE}/?from={one.code}"
        assert one.name in answer.output and url in answer.output
        assert read(tmp_path / f"{one.code}.png") == url
        svg = (tmp_path / f"{one.code}.svg").read_text()
        assert "<svg" in svg and "style=" not in svg and "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_a_code_is_read_with_a_corner_worn_off(tmp_path: Path) -> None:
    """A sticker in the street: a tenth of it is gone, away from the three squares readers look for."""
    answer = CliRunner().invoke(
        app, ["campaign-links", FORCE, "--folder", str(tmp_path)], env={"WALKANDTALK_FORCES_DIR": str(FORCES)}
    )
    assert answer.exit_code == 0, answer.output
    path = sorted(tmp_path.glob("*.png"))[0]
    picture = Image.open(path).convert("L")
    side = picture.width
    picture.paste(255, (side * 7 // 10, side * 7 // 10, side, side))
    picture.save(path)
    assert read(path) == f"http://localhost:8001/{FORCE}/?from={path.stem}"


def test_a_force_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With those there are."""
    monkeypatch.setenv("WALKANDTALK_FORCES_DIR", str(FORCES))
    answer = CliRunner().invoke(app, ["campaign-links", "nowhere"])
    assert answer.exit_code == 2
