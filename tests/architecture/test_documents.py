"""What the documents say is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.embedded.demo_people import people
from shared.embedded.stack import Ports

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
RECORDS = [path for path in sorted((ROOT / "docs" / "decisions").glob("*.md")) if path.name != "README.md"]
ROOMS = ("assignment", "build", "bus", "contracts", "deploy", "embedded", "feedback", "geography", "intake", "partners")

each_record = pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of ours."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} leads to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_commands_that_are_named_exist(page: Path) -> None:
    """Paths in code marks, make targets, and modules to be run."""
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:deploy|docs|services|shared|tests)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), f"{page.name} names {name}"
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`(?:[A-Z_]+=\S+ )?make ([a-z]+)", text)) <= targets
    for module in re.findall(r"python -m ((?:shared|tests)[\w.]+)", text):
        assert (ROOT / (module.replace(".", "/") + ".py")).exists(), f"{page.name} runs {module}"


@each_record
def test_record_says_when_to_look_again(path: Path) -> None:
    """A decision ends with what would make us revisit it."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert re.search(r"^(\*\*Revisit when|## Revisit when)", text, re.MULTILINE)


@each_record
def test_record_is_named_after_its_room_and_listed(path: Path) -> None:
    """The index has every record."""
    assert path.stem.partition("-")[0] in (*ROOMS, "web")
    assert f"({path.name})" in (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")


def test_readme_tells_the_addresses_and_people_of_the_stack() -> None:
    """Ports as the stack takes them, and people as the demo has them."""
    ports = Ports()
    for name in ("start", "intake", "assignment", "partners", "feedback", "identity", "mailbox"):
        assert f"<http://localhost:{getattr(ports, name)}>" in README
    known = {person.sub: person.name for person in people()}
    named = re.findall(r"([A-Z][\w' -]+) \(`([a-z]+-[a-z0-9-]+)`", README)
    assert len(named) >= 9
    for name, sub in named:
        assert name.strip().endswith(known[sub].partition(",")[0]), f"{name} is {known.get(sub)}"
