"""docker-compose.yml as compose itself reads it, with the secrets that deploy/secrets.sh makes. Needs no engine."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from shared.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[2]


def make_secrets(env_file: Path) -> dict[str, str]:
    """Run deploy/secrets.sh for this file; what stands in it afterwards."""
    subprocess.run(["sh", str(ROOT / "deploy" / "secrets.sh"), str(env_file)], check=True, capture_output=True)
    lines = env_file.read_text(encoding="utf-8").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def config(*arguments: str, env_file: Path) -> subprocess.CompletedProcess[str]:
    """`docker compose config` on our file, with nothing from this machine's environment."""
    tool = Path(sys.executable).with_name("docker-compose")
    command = [str(tool), "--env-file", str(env_file), "-f", str(ROOT / "docker-compose.yml"), "config", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "HOME": "/"})


@cache
def compose() -> dict[str, Any]:
    """The whole file, filled in."""
    with TemporaryDirectory() as folder:
        env_file = Path(folder) / ".env"
        make_secrets(env_file)
        done = config("--format", "json", env_file=env_file)
    assert done.returncode == 0, done.stderr
    return cast("dict[str, Any]", json.loads(done.stdout))


def environment(service: str) -> dict[str, str]:
    """What a container is told."""
    return cast("dict[str, str]", compose()["services"][service].get("environment") or {})


def settings_class(service: str) -> type[ServiceSettings]:
    """A service's settings."""
    return cast("type[ServiceSettings]", importlib.import_module(f"services.{service}.settings").Settings)
