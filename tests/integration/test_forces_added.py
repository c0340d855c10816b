"""A force is added as docs/forces.md says, step by step: a fictional one, in a folder of the test's own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.forces_folder import forces_folder
from tests.servers.intake_service import FORCE, intake_service

GUIDE: Final = Path(__file__).parents[2] / "docs" / "forces.md"
NEW: Final = "northshire"


def files_of_the_guide() -> dict[str, str]:
    """The files which the guide tells to write, by name, as they stand in it."""
    found = re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return dict(found)


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """The command the guide tells to run."""
    return subprocess.run(
        [sys.executable, "-c", "from shared.cli import app; app()", "policy", "check"],
        env={**os.environ, "WALKANDTALK_FORCES_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def added(tmp_path: Path) -> Path:
    """The forces of the demo, and the guide's."""
    folder = forces_folder(tmp_path, {})
    (folder / NEW).mkdir()
    for name, text in files_of_the_guide().items():
        (folder / NEW / name).write_text(text, encoding="utf-8")
    return folder


async def test_guides_force_is_at_work_once_its_files_are_there(database: ServiceDatabaseMaker, tmp_path: Path) -> None:
    """The check names it; pages, colours, languages and places are its own; the other forces stay as they were."""
    folder = added(tmp_path)
    checked = check(folder)
    assert checked.returncode == 0, checked.stderr
    assert "northshire: version 1, Northshire Police, en, cy, at walks.northshire.example" in checked.stdout
    assert "northshire: 1 areas, 1 officers" in checked.stdout
    async with intake_service(database, forces_dir=folder) as intake, intake.client() as client:
        assert "Northshire Police" in (await client.get("/")).text
        page = await client.get(f"/{NEW}/")
        assert "Northshire Women" in page.text
        assert "National Domestic Abuse Helpline" in page.text
        assert "call 0191 498 0100" in page.text
        welsh = await client.get(f"/cy/{NEW}/")
        assert "I gysylltu â Heddlu Northshire pan nad yw’n argyfwng" in welsh.text
        assert "Menywod Northshire" in welsh.text
        assert (await client.get(f"/cy/{FORCE}/")).status_code == 404
        style = re.search(r'href="(/theme\.css[^"]*)"', page.text)
        assert style is not None
        assert "#5b2a86" in (await client.get(style[1].replace("&amp;", "&"))).text
        asked = await intake.ask(force_id=NEW, place={"latitude": 54.97, "longitude": -1.61})
        assert asked["reference"]
        assert (await client.get(f"/{FORCE}/")).status_code == 200


def test_check_tells_every_fault_of_every_force_by_file_and_field(tmp_path: Path) -> None:
    """Whoever adds a force sees all there is to mend, before anything is started."""
    folder = added(tmp_path)
    policy = folder / NEW / "policy.yaml"
    whole = policy.read_text(encoding="utf-8")
    policy.write_text(
        whole.replace("#5b2a86", "#c9b8d8").replace("    name: Heddlu", "    names: Heddlu"), encoding="utf-8"
    )
    checked = check(folder)
    assert checked.returncode == 1
    assert "northshire/policy.yaml: translations.cy.name" in checked.stderr
    policy.write_text(whole.replace("#5b2a86", "#c9b8d8"), encoding="utf-8")
    assert "northshire/policy.yaml: colour: white text on #c9b8d8" in check(folder).stderr
    policy.write_text(whole, encoding="utf-8")
    boundaries = folder / NEW / "areas.geojson"
    boundaries.write_text(json.dumps({"type": "FeatureCollection", "features": []}), encoding="utf-8")
    checked = check(folder)
    assert checked.returncode == 1
    assert "northshire/areas.geojson: The boundary file holds no features." in checked.stderr
