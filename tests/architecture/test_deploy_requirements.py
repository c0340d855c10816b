"""What the image installs is a part of what was tested: same versions, same hashes, nothing for demo and tests."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.servers.compose import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def blocks(name: str) -> set[str]:
    """Each package with its version, markers and hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").strip()
    return set(re.split(r"\n(?=[a-z0-9])", text))


def names(entries: set[str]) -> set[str]:
    return {entry.partition("==")[0] for entry in entries}


def without_markers(entry: str) -> str:
    """Another root of the same tree gives the same package another condition; what is installed is the same."""
    return re.sub(r" ;[^\\\n]*", "", entry)


def test_image_installs_what_was_tested() -> None:
    """The same files of the same versions as in requirements.lock."""
    tested = {without_markers(entry) for entry in blocks("requirements.lock")}
    assert {without_markers(entry) for entry in blocks("requirements-runtime.lock")} <= tested


def test_image_has_all_the_services_need_and_no_more() -> None:
    """Every dependency; none of the embedded servers, of the tests' tools or of a build."""
    installed = names(blocks("requirements-runtime.lock"))
    needed = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    assert needed <= installed
    extras = {
        canonicalize_name(Requirement(text).name)
        for texts in PROJECT["optional-dependencies"].values()
        for text in texts
    }
    assert installed & (extras - needed) == set()
