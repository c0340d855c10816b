"""People and groups as an identity provider keeps them here by SCIM 2.0 (RFC 7643, 7644), and its changes to them.

Of what it sends no more is kept than the register needs; the rest (telephone numbers, addresses, a password) is read
over, as §3.3 allows. Where Entra ID has a dialect of its own, that is understood too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from services.assignment.domain.people import Officer, Source
from services.assignment.domain.scim_text import (
    CORE_GROUP,
    CORE_USER,
    ENTERPRISE,
    Comparison,
    Path,
    ScimRefused,
    path_of,
)
from shared.contracts.kinds import OfficerKind

MOST_CHANGES: Final = 1000
MOST_MEMBERS: Final = 10_000
LONGEST_TEXT: Final = 200
_SUBJECT: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""What an officer can be called in events."""

Document = dict[str, Any]

_TEXTS: Final = {each.lower(): each for each in ("userName", "externalId", "displayName", "userType")}
_NAME: Final = {each.lower(): each for each in ("formatted", "givenName", "familyName")}
_EMAIL: Final = {each.lower(): each for each in ("value", "type", "primary")}
_ENTERPRISE: Final = {"department": "department"}
_GROUP_TEXTS: Final = {each.lower(): each for each in ("displayName", "externalId")}


@dataclass(frozen=True, slots=True)
class ScimUser:
    """A person as the identity provider knows one. `external_id` is the subject of the sign-in."""

    user_name: str
    external_id: str | None
    name: str
    active: bool
    user_type: str | None
    department: str | None
    email: str | None

    @property
    def subject(self) -> str:
        """What the sign-in knows the person by; the userName where no other id was sent."""
        return self.external_id or self.user_name


@dataclass(frozen=True, slots=True)
class ScimGroup:
    """A group; one that is called like a team of the force says who walks for that team."""

    display_name: str
    external_id: str | None
    members: frozenset[UUID]


def user_document(sent: object) -> Document:
    """What is kept of a person that was sent whole.

    :raises ScimRefused: it is no person.
    """
    document: Document = {"active": True}
    for key, value in _object(sent).items():
        _change_user(document, "replace", _key(key), value)
    user_of(document)
    return document


def user_of(document: Mapping[str, Any]) -> ScimUser:
    """The person a document describes.

    :raises ScimRefused: without a userName, as the standard asks.
    """
    user_name = document.get("userName")
    if not user_name:
        raise ScimRefused(400, "userName is missing.", "invalidValue")
    named = document.get("name", {})
    whole = " ".join(part for part in (named.get("givenName"), named.get("familyName")) if part)
    emails: Sequence[Mapping[str, Any]] = document.get("emails", ())
    first = next(
        (each for test in (_is_primary, _is_work, bool) for each in emails if test(each) and each.get("value")), None
    )
    return ScimUser(
        user_name=user_name,
        external_id=document.get("externalId"),
        name=document.get("displayName") or named.get("formatted") or whole or user_name,
        active=bool(document.get("active", True)),
        user_type=document.get("userType"),
        department=document.get(ENTERPRISE, {}).get("department"),
        email=first["value"] if first else None,
    )


def _is_primary(email: Mapping[str, Any]) -> bool:
    return bool(email.get("primary"))


def _is_work(email: Mapping[str, Any]) -> bool:
    return str(email.get("type", "")).lower() == "work"


def patched_user(document: Mapping[str, Any], sent: object) -> Document:
    """The document after these changes, all of them or none.

    :raises ScimRefused:
    """
    changed = _copy(document)
    for operation, path, value in _operations(sent):
        if path is None:
            for key, each in _object(value).items():
                _change_user(changed, operation, _key(key), each)
        else:
            _change_user(changed, operation, path, value)
    user_of(changed)
    return changed


def group_of(sent: object) -> ScimGroup:
    """A group that was sent whole.

    :raises ScimRefused:
    """
    given = {key.lower(): value for key, value in _object(sent).items()}
    name = _text(given.get("displayname"), "displayName")
    if name is None:
        raise ScimRefused(400, "displayName is missing.", "invalidValue")
    return ScimGroup(name, _text(given.get("externalid"), "externalId"), frozenset(_members(given.get("members"))))


def patched_group(group: ScimGroup, sent: object) -> ScimGroup:
    """The group after these changes, all of them or none.

    :raises ScimRefused:
    """
    texts = {"displayName": group.display_name, "externalId": group.external_id}
    members = set(group.members)
    for operation, path, value in _operations(sent):
        changes = [(path, value)] if path is not None else [(_key(k), v) for k, v in _object(value).items()]
        for at, given in changes:
            if at.attribute == "members":
                members = _changed_members(members, operation, at, given)
            elif (kept := _GROUP_TEXTS.get(at.attribute)) and at.schema in (None, CORE_GROUP):
                texts[kept] = None if operation == "remove" else _text(given, kept)
    name = texts["displayName"]
    if not name:
        raise ScimRefused(400, "displayName cannot be removed.", "mutability")
    if len(members) > MOST_MEMBERS:
        raise ScimRefused(413, "The group has too many members.", "tooMany")
    return ScimGroup(name, texts["externalId"], frozenset(members))


def _changed_members(members: set[UUID], operation: str, at: Path, given: object) -> set[UUID]:
    if at.only:
        named = {_id(each.value) for each in at.only if each.attribute == "value"}
        if operation == "remove":
            return members - named
        return members | named
    if operation == "remove":
        # By the standard all of them go. Entra ID names in `value` those that are to go.
        return members - set(_members(given)) if given else set()
    if operation == "add":
        return members | set(_members(given))
    return set(_members(given))


def _members(given: object) -> Iterable[UUID]:
    if given is None:
        return []
    listed = given if isinstance(given, list) else [given]
    if len(listed) > MOST_MEMBERS:
        raise ScimRefused(413, "The group has too many members.", "tooMany")
    return [_id(_by_name(each).get("value") if isinstance(each, dict) else each) for each in listed]


def _id(given: object) -> UUID:
    try:
        return UUID(str(given))
    except ValueError:
        raise ScimRefused(400, "A member is no id of a user.", "invalidValue") from None


def _operations(sent: object) -> list[tuple[str, Path | None, object]]:
    """(add, replace or remove; where, None for several at once; what) of a PatchOp."""
    given = _by_name(_object(sent))
    listed = given.get("operations")
    if not isinstance(listed, list) or not listed:
        raise ScimRefused(400, "Operations is missing.", "invalidSyntax")
    if len(listed) > MOST_CHANGES:
        raise ScimRefused(413, "There are too many operations.", "tooMany")
    found: list[tuple[str, Path | None, object]] = []
    for each in listed:
        one = _by_name(_object(each))
        operation = str(one.get("op", "")).lower()
        if operation not in ("add", "replace", "remove"):
            raise ScimRefused(400, "op must be add, replace or remove.", "invalidSyntax")
        path = one.get("path")
        if path is not None and not isinstance(path, str):
            raise ScimRefused(400, "path must be text.", "invalidPath")
        if not path and operation == "remove":
            raise ScimRefused(400, "A removal needs a path.", "noTarget")
        if operation != "remove" and "value" not in one:
            raise ScimRefused(400, "value is missing.", "invalidValue")
        found.append((operation, path_of(path) if path else None, one.get("value")))
    return found


def _key(key: str) -> Path:
    """Where a key of an object goes. Entra ID writes `name.familyName` and `urn:…:User:department` as keys too."""
    try:
        return path_of(key)
    except ScimRefused:
        # A key nobody reads, like `$ref`, is no reason to refuse a person.
        return Path("$ignored")


def _change_user(document: Document, operation: str, at: Path, value: object) -> None:
    """One change of a person's document; attributes that are not kept are read over."""
    if at.schema == ENTERPRISE:
        _change_enterprise(document, operation, at, value)
    elif at.schema not in (None, CORE_USER):
        return
    elif at.attribute == "active":
        document["active"] = True if operation == "remove" else _boolean(value)
    elif (kept := _TEXTS.get(at.attribute)) is not None and at.part is None:
        _set(document, kept, None if operation == "remove" else _text(value, kept))
        if kept == "userName" and kept not in document:
            raise ScimRefused(400, "userName cannot be removed.", "mutability")
    elif at.attribute == "name":
        _change_parts(document, "name", _NAME, operation, at.part, value)
    elif at.attribute == "emails":
        _change_emails(document, operation, at, value)


def _change_enterprise(document: Document, operation: str, at: Path, value: object) -> None:
    if at.attribute:
        if at.attribute in _ENTERPRISE and at.part is None:
            _change_parts(document, ENTERPRISE, _ENTERPRISE, operation, at.attribute, value)
    else:
        _change_parts(document, ENTERPRISE, _ENTERPRISE, operation, None, value)


def _change_parts(
    document: Document, name: str, known: Mapping[str, str], operation: str, part: str | None, value: object
) -> None:
    """A change of an attribute that has parts: of one of them, or of those an object names."""
    if part is None and operation == "remove":
        document.pop(name, None)
        return
    parts = dict(document.get(name, {}))
    given = {part: value} if part is not None else _by_name(_object(value or {}))
    for key, each in given.items():
        if (kept := known.get(key)) is not None:
            _set(parts, kept, None if operation == "remove" else _text(each, kept))
    _set(document, name, parts or None)


def _change_emails(document: Document, operation: str, at: Path, value: object) -> None:
    emails: list[Document] = [dict(each) for each in document.get("emails", ())]
    if at.only or at.part:
        chosen = [each for each in emails if _fits(each, at.only)]
        if operation == "remove":
            for each in chosen:
                if at.part in _EMAIL:
                    each.pop(_EMAIL[at.part], None)
            emails = [each for each in emails if each not in chosen] if at.part is None else emails
        else:
            if not chosen:
                # Entra ID replaces the address of a kind that was never there: it is added.
                chosen = [{each.attribute: each.value for each in at.only if each.attribute in _EMAIL}]
                emails += chosen
            for each in chosen:
                given = {at.part: value} if at.part else _by_name(_object(value))
                each.update(_email(given))
    elif operation == "remove":
        emails = []
    else:
        listed = value if isinstance(value, list) else [value]
        fresh = [_email(_by_name(each) if isinstance(each, dict) else {"value": each}) for each in listed]
        kept = [each for each in emails if each.get("value") not in {one.get("value") for one in fresh}]
        emails = fresh if operation == "replace" else [*kept, *fresh]
    if len(emails) > 20:
        raise ScimRefused(413, "There are too many e-mail addresses.", "tooMany")
    _set(document, "emails", [each for each in emails if each.get("value")] or None)


def _email(given: Mapping[str, object]) -> Document:
    found: Document = {}
    for key, value in given.items():
        if key == "primary":
            found["primary"] = _boolean(value)
        elif key in _EMAIL:
            found[_EMAIL[key]] = _text(value, f"emails.{key}")
    return found


def _fits(email: Mapping[str, Any], only: Sequence[Comparison]) -> bool:
    return all(str(email.get(each.attribute, "")).lower() == str(each.value).lower() for each in only)


def _set(document: Document, name: str, value: object) -> None:
    if value is None:
        document.pop(name, None)
    else:
        document[name] = value


def _object(given: object) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise ScimRefused(400, "What was sent is no JSON object.", "invalidSyntax")
    return given


def _by_name(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """With names in lower case: the standard does not tell them apart."""
    return {str(key).lower(): value for key, value in given.items()}


def _text(value: object, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ScimRefused(400, f"{name} must be text.", "invalidValue")
    plain = "".join(character for character in value if character.isprintable()).strip()
    if len(plain) > LONGEST_TEXT:
        raise ScimRefused(400, f"{name} is longer than {LONGEST_TEXT} characters.", "invalidValue")
    return plain or None


def _boolean(value: object) -> bool:
    """True or false. Entra ID sends them as words, unless it is told not to."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list) and len(value) == 1:
        return _boolean(value[0])
    if isinstance(value, dict) and len(value) == 1 and "value" in value:
        return _boolean(value["value"])
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ScimRefused(400, "active must be true or false.", "invalidValue")


def _copy(document: Mapping[str, Any]) -> Document:
    return {
        key: [dict(each) for each in value]
        if isinstance(value, list)
        else dict(value)
        if isinstance(value, dict)
        else value
        for key, value in document.items()
    }


def placed(
    force_id: str, user: ScimUser, groups: Iterable[str], found: Officer | None, teams: Mapping[str, str]
) -> Officer | None:
    """The entry of the register that a person of the identity provider makes; None where it says too little for one.

    `userType` is the kind, `department` the own team by name or id, and a group called like a team one more. What it
    does not say stays as it is (`found`). `teams`: names of the force's teams by id.
    """
    by_name = {key.casefold(): team_id for team_id, name in teams.items() for key in (name, team_id)}
    further = {by_name[each.casefold()] for each in groups if each.casefold() in by_name}
    team_id = by_name.get((user.department or "").casefold()) or (found.team_id if found else None)
    if team_id is None and further:
        team_id = min(further)
    kind = _kind(user.user_type) or (found.kind if found else None)
    if team_id is None or kind is None or not _SUBJECT.fullmatch(user.subject):
        return None
    if not further and found is not None:
        further = set(found.team_ids - {found.team_id})
    kept = found or Officer(force_id, user.subject, user.name, kind, team_id, frozenset(), None)
    return replace(
        kept,
        name=user.name,
        kind=kind,
        team_id=team_id,
        team_ids=frozenset({team_id, *further}),
        email=user.email or kept.email,
        active=user.active,
        source=Source.SCIM,
    )


def _kind(text: str | None) -> OfficerKind | None:
    try:
        return OfficerKind("-".join((text or "").lower().split()))
    except ValueError:
        return None
