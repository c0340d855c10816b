"""Every force's own choices, read once at start from one file a force: deploy/forces/<force>/policy.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from shared.contracts.policy import ForcePolicy


class PolicyFault(Exception):
    """A force's policy file is missing or wrong. The message names the file, the field and what is wrong with it."""


class Policies(Mapping[str, ForcePolicy]):
    """The policies by force."""

    def __init__(self, found: Mapping[str, ForcePolicy]) -> None:
        self._found = dict(found)

    @classmethod
    def read(cls, folder: Path) -> Policies:
        """Read every `<force>/policy.yaml` below a folder.

        :raises PolicyFault: there is none, or one is wrong; every fault of a file is told at once.
        """
        files = sorted(folder.glob("*/policy.yaml"))
        if not files:
            raise PolicyFault(f"{folder}: holds no <force>/policy.yaml")
        return cls({policy.force_id: policy for policy in map(_read, files)})

    @property
    def forces(self) -> tuple[str, ...]:
        """The forces served here, sorted."""
        return tuple(sorted(self._found))

    def __getitem__(self, force_id: str) -> ForcePolicy:
        return self._found[force_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _read(path: Path) -> ForcePolicy:
    try:
        given: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise PolicyFault(f"{path}: cannot be read as YAML: {fault}") from fault
    if not isinstance(given, dict):
        raise PolicyFault(f"{path}: holds no fields")
    try:
        policy = ForcePolicy.model_validate(given)
    except ValidationError as fault:
        errors = fault.errors(include_url=False, include_context=False)
        lines = [f"{path}: {_field(error['loc'])}: {error['msg']}" for error in errors]
        raise PolicyFault("\n".join(lines)) from fault
    if policy.force_id != path.parent.name:
        raise PolicyFault(f"{path}: force_id: is {policy.force_id}, but the folder is {path.parent.name}")
    doubled = [id_ for id_, count in Counter(one.partner_id for one in policy.partners).items() if count > 1]
    if doubled:
        raise PolicyFault(f"{path}: partners: {', '.join(doubled)} stands twice")
    return policy


def _field(location: tuple[int | str, ...]) -> str:
    """`partners[0].coverage[1].areas`: where in the file, as a person would say it."""
    found = ""
    for part in location:
        found += f"[{part}]" if isinstance(part, int) else f".{part}" if found else part
    return found
