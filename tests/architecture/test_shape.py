"""Four services, one shape: who knows one knows all; and nothing half done or of one machine is committed."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from shared.contracts.catalogue import SERVICES
from tests.servers.lacking import lacks

ROOT = Path(__file__).resolve().parents[2]
SHAPE = {
    "__init__.py",
    "app.py",
    "dependencies.py",
    "domain.py",
    "handlers.py",
    "metrics.py",
    "pages.py",
    "queries.sql",
    "routes.py",
    "schema",
    "settings.py",
    "store.py",
    "subscribers.py",
    "templates",
    "timers.py",
}
MORE = {
    "intake": {
        "channels": "messages to her leave here",
        "messages": "their words, made when they leave",
        "form": "the request form between its pages",
        "places.py": "what a map shows, and what lies near a point",
        "requesting.py": "a request as form and API send it, before it is one",
        "ring.py": "the keys that stand outside the database",
        "keys.py": "the commands that replace one of them",
        "vault.py": "what seals who she is",
        "wording.py": "where texts to translate are found",
        "translations": "her pages in other languages",
    },
    "assignment": {
        "channels": "messages to officers leave here",
        "photos.py": "photographs drawn anew before they are kept",
        "registers.py": "areas, teams and officers from the force's files",
        "forms": "what officers fill in",
        "ways.py": "the way she would like to walk, in words an officer can follow",
        "wording.py": "how pages say what the domain decides",
    },
    "partners": {
        "channels": "e-mail to partners leaves here",
        "wording.py": "how pages and e-mail say what the domain decides",
    },
    "feedback": {
        "evaluation.py": "domain: what has changed",
    },
}
"""What a service has beyond the shape, and why."""

PACKAGES = {name.partition(".")[0]: name for name in SHAPE if name.endswith((".py", ".sql"))}
"""What has outgrown its file is a package of the same name, and queries.sql a folder of files."""

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError|NotImplemented)\b|pragma: no cover|^\s*\.\.\.$")
FINISHED = {
    ("shared/bus/subscriptions.py", "..."): "the body of a protocol",
}
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|repo1?\.maven|maven\.org|docker\.io/|ghcr\.io|quay\.io"
    r"|index-url|extra-index|trusted-host",
    re.IGNORECASE,
)
OF_ONE_MACHINE = re.compile(r"(?<![\w.])/(root|work|home/\w+|Users/\w+)/")


def tracked() -> list[Path]:
    """Files of the project as committed."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        lacks("a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def texts(*suffixes: str) -> list[tuple[str, str]]:
    """Path and text of tracked files, those with these endings or all that are text."""
    found = []
    for path in tracked():
        if suffixes and path.suffix not in suffixes:
            continue
        try:
            found.append((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_service_has_the_shape_and_a_reason_for_more(service: str) -> None:
    """The same names in every service; a file of its own is named here with its reason."""
    found = [path for path in (ROOT / "services" / service).iterdir() if path.name != "__pycache__"]
    names = [PACKAGES.get(path.name, path.name) if path.is_dir() else path.name for path in found]
    assert set(names) - set(MORE[service]) == SHAPE
    assert set(MORE[service]) <= set(names)
    assert len(names) == len(set(names)), "a module beside the package it became"


@pytest.mark.parametrize("service", SERVICES)
def test_package_gives_nothing_in_the_name_of_its_modules(service: str) -> None:
    """Callers import from the modules themselves: `__init__.py` of a package hands on nothing of theirs."""
    handed_on = [
        (path.parent.name, alias.name)
        for path in (ROOT / "services" / service).glob("*/__init__.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(f"services.{service}.{path.parent.name}.")
        for alias in node.names
    ]
    assert handed_on == []


@pytest.mark.parametrize("service", SERVICES)
def test_service_says_in_a_sentence_what_it_decides(service: str) -> None:
    """`__init__.py` is that sentence and nothing else."""
    text = (ROOT / "services" / service / "__init__.py").read_text(encoding="utf-8").strip()
    assert re.fullmatch(r'"""[A-Z][^"]+\."""', text)


def test_every_module_says_what_it_is_for() -> None:
    """A docstring at the top of every Python file."""
    assert [name for name, text in texts(".py") if ast.get_docstring(ast.parse(text)) is None] == []


def test_no_name_that_says_nothing() -> None:
    """No utils, helpers, common, manager, base or misc."""
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
    assert [name for name, _ in texts() if empty & {Path(part).stem for part in Path(name).parts}] == []


def test_nothing_is_left_unfinished() -> None:
    """No note to do it later stands in the code; what looks like one is listed with its reason."""
    found = [
        (name, match[0].strip(), number)
        for name, text in texts(".py", ".sql", ".html", ".yaml", ".sh", ".toml")
        if not name.startswith("tests/") and "/vendor/" not in name
        for number, line in enumerate(text.splitlines(), 1)
        if (match := UNFINISHED.search(line))
    ]
    assert [one for one in found if one[:2] not in FINISHED] == []


def test_no_package_registry_is_named() -> None:
    """Where packages come from is the business of whoever installs them."""
    found = [
        (name, line.strip()[:100])
        for name, text in texts()
        if name != str(Path(__file__).relative_to(ROOT)) and "/vendor/" not in name
        for line in text.splitlines()
        if REGISTRY.search(line)
    ]
    assert found == []


def test_no_path_of_one_machine_is_committed() -> None:
    """The project runs wherever it is cloned."""
    found = [
        (name, line.strip()[:100])
        for name, text in texts()
        if name != str(Path(__file__).relative_to(ROOT)) and "/vendor/" not in name
        for line in text.splitlines()
        if OF_ONE_MACHINE.search(line)
    ]
    assert found == []
