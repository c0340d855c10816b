"""What is to be installed: pinned in pyproject.toml, the same in the lock, by hash, from nowhere in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# The peers of `make bench` are installed by hand, by whoever wants them beside ours.
EXTRAS = [one for name, extra in PROJECT["optional-dependencies"].items() if name != "peers" for one in extra]


def locked(name: str) -> dict[str, str]:
    """Version by package."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def test_lock_holds_everything_the_project_asks_for() -> None:
    """Whoever adds a dependency locks it too, or a fresh clone would not have it."""
    lock = locked("requirements.lock")
    for text in [*PROJECT["dependencies"], *EXTRAS]:
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        assert name in lock, f"{name} is not locked"
        assert wanted.specifier.contains(lock[name], prereleases=True), f"{name} {lock[name]} is locked"


def test_every_locked_package_has_hashes_and_no_address() -> None:
    """pip checks each file, and takes it from the index of the place it runs in."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[a-z0-9])", text.strip()):
        assert "--hash=sha256:" in block, block.partition("\n")[0]
    assert "://" not in text
    assert "--index" not in text
