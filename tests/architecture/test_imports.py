"""The rules of who imports whom, kept by import-linter (pyproject.toml)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
}

SINS = {
    "services/partners/messages.py": "from services.intake import domain",
    "services/partners/domain.py": "import asyncpg",
    "services/partners/store.py": "from shared.timers import Due",
    "services/partners/handlers.py": "from shared.settings import ServiceSettings",
    "services/partners/subscribers.py": "from shared.policies import Policies",
    "services/partners/pages.py": "from services.partners.store import QUERIES",
    "services/partners/wording.py": "from shared.web.pages import Pages",
    "services/partners/metrics.py": "from shared.bus.relay import Relay",
    "services/partners/settings.py": "from services.partners.app import build",
    "services/partners/timers.py": "from shared.embedded.stack import Stack",
    "services/partners/app.py": "from services.partners import registers",
    "services/partners/registers.py": "from services.partners import app",
    "shared/contracts/kinds.py": "import structlog",
    "shared/working_days.py": "from services.partners.domain import refer",
}
"""One breach of each contract, as lines at the end of copies of these files."""

SINS_IN_PACKAGES = {
    ("domain/person.py", "from shared.database import Transaction"): {"The domain is pure"},
    ("store/messages.py", "from shared.timers import Due"): {"A store knows rows and the domain"},
    ("handlers/walks.py", "import fastapi"): {
        "Handlers load, decide, save, append",
        "Only the way in and out of a service knows the web",
    },
    ("pages/hers.py", "from services.intake.store.requests import requests"): {"Only handlers use the store"},
    ("pages/start.py", "import asyncpg"): {"In a service only the store knows the database driver"},
    ("pages/card.py", "from services.feedback import domain"): {"A service never imports another"},
    ("form/sitting.py", "from services.intake.store import QUERIES"): {"Only handlers use the store"},
    ("form/questions.py", "from shared.web.pages import render"): {
        "Only the way in and out of a service knows the web"
    },
    ("handlers/keeping.py", "from services.intake.handlers.walks import tell_arranged"): {
        "No two parts of a house import each other"
    },
}
"""Breaches inside intake's packages, each alone, and the contracts it breaks."""


def lint(root: Path) -> tuple[int, dict[str, str], str]:
    """Exit code, verdict by contract, and everything import-linter said."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", done.stdout, re.MULTILINE))
    return done.returncode, verdicts, done.stdout + done.stderr


def test_imports_keep_to_the_plan() -> None:
    """`lint-imports` has nothing to say."""
    code, verdicts, said = lint(ROOT)
    assert code == 0, said
    assert verdicts == dict.fromkeys(CONTRACTS, "KEPT")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The code alone, to be sinned against."""
    only_python = shutil.ignore_patterns("__pycache__", "static", "templates", "schema", "*.sql")
    for part in ("services", "shared", "tests/architecture"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=only_python)
    shutil.copy(ROOT / "tests" / "__init__.py", tmp_path / "tests")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_notices_its_breach(copied: Path) -> None:
    """A rule that nothing can break is no rule: one sin against each, and each is found out."""
    for name, sin in SINS.items():
        with (copied / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{sin}\n")
    code, verdicts, said = lint(copied)
    assert code == 1, said
    assert verdicts == dict.fromkeys(CONTRACTS, "BROKEN"), said


def test_package_is_held_to_the_rules_of_the_file_it_was(copied: Path) -> None:
    """A sin deep in a package breaks the same contract as one in a file, and no other."""
    for (name, sin), expected in SINS_IN_PACKAGES.items():
        file = copied / "services" / "intake" / name
        innocent = file.read_text(encoding="utf-8")
        file.write_text(f"{innocent}\n{sin}\n", encoding="utf-8")
        _, verdicts, said = lint(copied)
        assert {contract for contract, verdict in verdicts.items() if verdict == "BROKEN"} == expected, said
        file.write_text(innocent, encoding="utf-8")
    assert lint(copied)[0] == 0
