"""The rules of who imports whom, kept by import-linter (pyproject.toml)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

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


def test_every_contract_notices_its_breach(tmp_path: Path) -> None:
    """A rule that nothing can break is no rule: one sin against each, and each is found out."""
    only_python = shutil.ignore_patterns("__pycache__", "static", "templates", "schema", "*.sql")
    for part in ("services", "shared", "tests/architecture"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=only_python)
    shutil.copy(ROOT / "tests" / "__init__.py", tmp_path / "tests")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, sin in SINS.items():
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{sin}\n")
    code, verdicts, said = lint(tmp_path)
    assert code == 1, said
    assert verdicts == dict.fromkeys(CONTRACTS, "BROKEN"), said
