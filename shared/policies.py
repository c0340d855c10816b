"""Every force's own choices, read once at start from one file a force: deploy/forces/<force>/policy.yaml."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from shared.colours import READABLE, contrast
from shared.contracts.policy import OURS, TOLD, ForcePolicy, OwnWording

WHITE: Final = "#ffffff"
LARGEST_LOGO: Final = 100_000
MORE_THAN_A_PICTURE: Final = re.compile(
    rb"<script|<foreignObject|\bon\w+\s*=|<!ENTITY|href\s*=\s*[\"'](?!#)", re.IGNORECASE
)


class PolicyFault(Exception):
    """A force's policy file is missing or wrong. The message names the file, the field and what is wrong with it."""


class Policies(Mapping[str, ForcePolicy]):
    """The policies by force."""

    def __init__(self, found: Mapping[str, ForcePolicy]) -> None:
        self._found = dict(found)

    @classmethod
    def read(cls, folder: Path) -> Policies:
        """Read every `<force>/policy.yaml` below a folder.

        :raises PolicyFault: there is none, or one is wrong; every fault of every file is told at once.
        """
        files = sorted(folder.glob("*/policy.yaml"))
        if not files:
            raise PolicyFault(f"{folder}: holds no <force>/policy.yaml")
        found, faults = {}, []
        for file in files:
            try:
                policy = _read(file)
                found[policy.force_id] = policy
            except PolicyFault as fault:
                faults.append(str(fault))
        if faults:
            raise PolicyFault("\n".join(faults))
        hosts = Counter(host for policy in found.values() for host in policy.hosts)
        if doubled := [host for host, count in hosts.items() if count > 1]:
            raise PolicyFault(f"{folder}: hosts: {', '.join(doubled)} stands twice: a name leads to one force")
        return cls(found)

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
    if faults := [f"{path}: {fault}" for fault in _faults(policy, given, path.parent)]:
        raise PolicyFault("\n".join(faults))
    return policy


def _faults(policy: ForcePolicy, given: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """What no field alone can know is wrong."""
    doubled = [id_ for id_, count in Counter(one.partner_id for one in policy.partners).items() if count > 1]
    if doubled:
        yield f"partners: {', '.join(doubled)} stands twice"
    yield from _unreadable(policy)
    yield from _untranslated(policy, given.get("wording") or {})
    if policy.logo is not None:
        yield from _unfit(folder / policy.logo.file)


def _unreadable(policy: ForcePolicy) -> Iterator[str]:
    for field in ("colour", "header_colour"):
        colour = getattr(policy, field)
        if colour is not None and (ratio := contrast(colour, WHITE)) < READABLE:
            # Rounded down, so that 4.496 is not told as 4.5.
            told = int(ratio * 100) / 100
            yield f"{field}: white text on {colour} has a contrast of {told} to 1; it must be {READABLE} or more"


def _untranslated(policy: ForcePolicy, wording: Mapping[str, Any]) -> Iterator[str]:
    """What the force said in its own words, it says in each of its languages; what it left to us, we say."""
    if "en" not in policy.languages:
        yield "languages: en is missing: every page is there in English"
    for language in policy.translations:
        if language == "en" or language not in policy.languages:
            yield f"translations.{language}: is not one of the force's other languages"
    for language in policy.languages:
        if language == "en":
            continue
        told = policy.translations.get(language)
        if told is None:
            yield f"translations.{language}.name: is missing"
        own = told.wording if told else OwnWording()
        for field in TOLD:
            ours_will_do = field not in wording and (
                field in OURS.get(language, {}) or not getattr(policy.wording, field)
            )
            if not ours_will_do and getattr(own, field) is None:
                yield f"translations.{language}.wording.{field}: is missing"
        if policy.logo is not None and (told is None or told.logo is None):
            yield f"translations.{language}.logo: is missing"


def _unfit(logo: Path) -> Iterator[str]:
    try:
        content = logo.read_bytes()
    except OSError:
        yield f"logo.file: {logo.name} cannot be read"
        return
    if len(content) > LARGEST_LOGO:
        yield f"logo.file: {logo.name} has {len(content)} bytes; {LARGEST_LOGO} at most, every page loads it"
    looks = content.startswith(b"\x89PNG\r\n\x1a\n") if logo.suffix == ".png" else b"<svg" in content[:1000]
    if not looks:
        yield f"logo.file: {logo.name} is no {logo.suffix[1:].upper()} picture"
    if logo.suffix == ".svg" and MORE_THAN_A_PICTURE.search(content):
        yield f"logo.file: {logo.name} holds a script, or something from elsewhere"


def _field(location: tuple[int | str, ...]) -> str:
    """`partners[0].coverage[1].areas`: where in the file, as a person would say it."""
    found = ""
    for part in location:
        found += f"[{part}]" if isinstance(part, int) else f".{part}" if found else part
    return found
