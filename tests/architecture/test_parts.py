"""The two runs of `make test` hold every test of the suite, each once."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.__main__ import PARTS

ROOT = Path(__file__).parents[2]


def files_of(arguments: tuple[str, ...]) -> list[str]:
    """The files of tests that pytest would take up."""
    left_out = {one.removeprefix("--ignore=") for one in arguments if one.startswith("--ignore=")}
    found = []
    for path in (ROOT / one for one in arguments if not one.startswith("-")):
        found += [path] if path.is_file() else sorted(path.rglob("test_*.py"))
    return [one for one in (path.relative_to(ROOT).as_posix() for path in found) if one not in left_out]


def test_each_test_is_in_one_of_the_runs() -> None:
    """As they would be in one run of the paths that pytest is configured with."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    together = sorted(file for part in PARTS.values() for file in files_of(tuple(part)))
    assert together == sorted(files_of(tuple(settings["testpaths"])))
    assert together == sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
