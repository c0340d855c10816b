"""What a SCIM client writes in addresses and paths: filters and attribute paths (RFC 7644 §3.4.2.2, §3.5.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

CORE_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LONGEST: Final = 2000

SchemaUris: Final = (CORE_USER, CORE_GROUP, ENTERPRISE)


class ScimRefused(Exception):
    """What a client sent cannot be done; told as RFC 7644 §3.12 says. The detail never repeats a value."""

    def __init__(self, status: int, detail: str, kind: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        """The scimType, where the standard has one."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """An attribute (lower case, `name.familyname`) that has to equal a value: text, boolean or number."""

    attribute: str
    value: str | bool | int | float


@dataclass(frozen=True, slots=True)
class Path:
    """Where a change goes: an attribute, perhaps of an extension, perhaps of those elements alone that `only` names,
    perhaps a part of it. All in lower case."""

    attribute: str
    schema: str | None = None
    only: tuple[Comparison, ...] = ()
    part: str | None = None


_ATTRIBUTE: Final = r"(?:urn:[A-Za-z0-9:._-]+:)?[A-Za-z$][\w$-]*(?:\.[A-Za-z$][\w$-]*)?"
_BRACKETED: Final = re.compile(rf"(?P<of>{_ATTRIBUTE})\[(?P<inner>[^\]]*)\](?:\.(?P<part>[A-Za-z$][\w$-]*))?")
_COMPARISON: Final = re.compile(
    rf"\s*(?:(?P<attribute>{_ATTRIBUTE})|(?P<bracket>{_ATTRIBUTE}\[[^\]]*\](?:\.[A-Za-z$][\w$-]*)?))\s+"
    r"(?P<operator>[A-Za-z]+)\s+"
    r'(?P<value>"(?:[^"\\]|\\.)*"|true|false|-?\d+(?:\.\d+)?)\s*',
    re.IGNORECASE,
)
_PATH: Final = re.compile(
    r"(?:(?P<schema>urn:[A-Za-z0-9:._-]*[A-Za-z]):)?(?P<attribute>[A-Za-z$][\w$-]*)(?:\[(?P<only>[^\]]*)\])?"
    r"(?:\.(?P<part>[A-Za-z$][\w$-]*))?"
)


def filter_of(text: str) -> tuple[Comparison, ...]:
    """The comparisons that must all hold: `eq` joined by `and`, which is what identity providers ask.

    :raises ScimRefused: anything else, as invalidFilter.
    """
    refused = ScimRefused(400, "Filters here are comparisons by eq, joined by and.", "invalidFilter")
    if len(text) > LONGEST:
        raise refused
    found: list[Comparison] = []
    at = 0
    while True:
        match = _COMPARISON.match(text, at)
        if match is None or match["operator"].lower() != "eq":
            raise refused
        value = match["value"]
        if match["bracket"]:
            bracketed = _BRACKETED.fullmatch(match["bracket"])
            if bracketed is None:
                raise refused
            # emails[type eq "work"].value: people have one address here, so which of them is no question.
            attribute = f"{bracketed['of']}.{bracketed['part'] or 'value'}"
        else:
            attribute = match["attribute"]
        found.append(Comparison(_plain(attribute), _literal(value)))
        at = match.end()
        if at == len(text):
            return tuple(found)
        joined = re.compile(r"and\s+", re.IGNORECASE).match(text, at)
        if joined is None:
            raise refused
        at = joined.end()


def path_of(text: str) -> Path:
    """Where a change goes.

    :raises ScimRefused: it is no path, as invalidPath.
    """
    refused = ScimRefused(400, "The path of a change cannot be read.", "invalidPath")
    if len(text) > LONGEST:
        raise refused
    for uri in SchemaUris:
        if text.lower() == uri.lower():
            return Path("", uri)
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise refused
    schema = match["schema"]
    known = next((uri for uri in SchemaUris if schema and uri.lower() == schema.lower()), schema)
    try:
        only = filter_of(match["only"]) if match["only"] is not None else ()
    except ScimRefused:
        raise refused from None
    part = match["part"]
    return Path(match["attribute"].lower(), known, only, part.lower() if part else None)


def _plain(attribute: str) -> str:
    for uri in SchemaUris:
        if attribute.lower().startswith(f"{uri.lower()}:"):
            attribute = attribute[len(uri) + 1 :]
    return attribute.lower()


def _literal(text: str) -> str | bool | int | float:
    try:
        value: Any = json.loads(text if text.startswith('"') else text.lower())
    except ValueError:
        raise ScimRefused(400, "A value of the filter cannot be read.", "invalidFilter") from None
    assert isinstance(value, str | bool | int | float)
    return value


def error_body(refused: ScimRefused) -> Mapping[str, Any]:
    """An error as the standard writes it."""
    kind = {"scimType": refused.kind} if refused.kind else {}
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(refused.status),
        **kind,
        "detail": refused.detail,
    }
