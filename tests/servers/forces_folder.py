"""The forces' folders with some of their choices changed, in a folder of a test's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

OURS: Final = Path(__file__).parents[2] / "deploy" / "forces"


def forces_folder(folder: Path, changed: Mapping[str, Mapping[str, Any]]) -> Path:
    """A copy of deploy/forces below `folder`, where these fields of these forces' policies are others."""
    for own in sorted(OURS.iterdir()):
        copy = folder / "forces" / own.name
        copy.mkdir(parents=True)
        for path in own.iterdir():
            if path.name != "policy.yaml":
                (copy / path.name).symlink_to(path)
        policy = yaml.safe_load((own / "policy.yaml").read_text(encoding="utf-8")) | dict(changed.get(own.name, {}))
        (copy / "policy.yaml").write_text(yaml.safe_dump(policy, allow_unicode=True), encoding="utf-8")
    return folder / "forces"
