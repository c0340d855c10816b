"""Writes what is made from the contracts: a JSON Schema an event, an AsyncAPI document a service and one for partners.

python -m shared.contracts.generate            write deploy/schemas and deploy/asyncapi
python -m shared.contracts.generate --check    write nothing; exit 1 where a file is not up to date
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from shared.contracts.asyncapi import document, partner_document
from shared.contracts.catalogue import EVENTS, SERVICES
from shared.contracts.envelope import Event, json_schema

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy"


class _Unused:
    """Stands where a service's handlers have their dependencies: only their event types are asked for."""

    def __getattr__(self, name: str) -> _Unused:
        return self


def subscribed(service: str) -> tuple[type[Event], ...]:
    """The events a service has handlers for.

    Asked of the service by name, as a person would run it: no module here depends on a service.
    """
    subscribers = import_module(f"services.{service}.subscribers")
    events: tuple[type[Event], ...] = subscribers.subscriptions(_Unused()).events
    return events


def files(deploy: Path = DEPLOY) -> dict[Path, str]:
    """Every generated file and what has to stand in it."""
    found: dict[Path, Any] = {deploy / "schemas" / event.schema_path(): json_schema(event) for event in EVENTS}
    for service in SERVICES:
        found[deploy / "asyncapi" / f"{service}.json"] = document(service, subscribed(service))
    found[deploy / "asyncapi" / "partner.json"] = partner_document()
    return {path: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for path, content in found.items()}


def differences(deploy: Path = DEPLOY) -> list[str]:
    """What is not up to date, a sentence each; empty when all is."""
    wanted = files(deploy)
    found = [
        f"{path.relative_to(deploy)} is not what the contracts say"
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for folder in ("schemas", "asyncapi"):
        for path in sorted((deploy / folder).glob("*.json")):
            if path not in wanted:
                found.append(f"{path.relative_to(deploy)} belongs to nothing")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.contracts.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is not up to date")
    if parser.parse_args(arguments).check:
        stale = differences()
        sys.stderr.writelines(f"{line}\n" for line in stale)
        return 1 if stale else 0
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
