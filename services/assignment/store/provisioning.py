"""People and groups as the identity provider keeps them here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.assignment.domain.scim import Document, ScimGroup, ScimUser, user_of
from services.assignment.domain.scim_text import Comparison, ScimRefused
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE, uuid_of
from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class ScimUserRow:
    """A person as kept; `document` is what the identity provider sent, as far as it is kept."""

    id: UUID
    document: Document
    created_at: datetime
    changed_at: datetime

    @property
    def user(self) -> ScimUser:
        """The person the document describes."""
        return user_of(self.document)


@dataclass(frozen=True, slots=True)
class ScimGroupRow:
    """A group as kept, without its members."""

    id: UUID
    display_name: str
    external_id: str | None
    created_at: datetime
    changed_at: datetime


async def add_user(tx: Transaction, force_id: str, user_id: UUID, document: Document, now: datetime) -> None:
    """Keep somebody new.

    :raises ScimRefused: userName or externalId is another's.
    """
    user = user_of(document)
    try:
        await tx.run(
            QUERIES.add_scim_user,
            force_id,
            user_id,
            user.user_name,
            user.external_id,
            user.subject,
            user.active,
            document,
            now,
        )
    except asyncpg.UniqueViolationError as fault:
        raise _taken("userName or externalId") from fault


async def change_user(tx: Transaction, force_id: str, user_id: UUID, document: Document, now: datetime) -> None:
    """Keep somebody as they are now.

    :raises ScimRefused: userName or externalId is another's.
    """
    user = user_of(document)
    try:
        await tx.run(
            QUERIES.change_scim_user,
            force_id,
            user_id,
            user.user_name,
            user.external_id,
            user.subject,
            user.active,
            document,
            now,
        )
    except asyncpg.UniqueViolationError as fault:
        raise _taken("userName or externalId") from fault


async def remove_user(tx: Transaction, force_id: str, user_id: UUID, now: datetime) -> None:
    """Keep no more of somebody than that they are off."""
    await tx.run(QUERIES.leave_scim_groups, force_id, user_id)
    await tx.run(QUERIES.remove_scim_user, force_id, user_id, now)


async def lock_user(tx: Transaction, force_id: str, user_id: UUID) -> ScimUserRow | None:
    """Somebody, locked until the transaction ends."""
    row = await tx.fetch_row(QUERIES.lock_scim_user, force_id, user_id)
    return _user(row) if row else None


async def users_by_id(tx: Transaction, force_id: str, ids: Iterable[UUID]) -> list[ScimUserRow]:
    """These people; unknown ones are left out."""
    return [_user(row) for row in await tx.fetch(QUERIES.scim_users_by_id, force_id, list(ids))]


async def users(
    tx: Transaction, force_id: str, asked: Sequence[Comparison], start: int, count: int
) -> tuple[list[ScimUserRow], int]:
    """`count` people from the `start`-th (from 1) of those that were asked for, and how many there are in all.

    :raises ScimRefused: nobody can be asked for by one of the attributes.
    """
    wanted: dict[str, Any] = {}
    for each in asked:
        name = {"username": "user_name", "externalid": "external_id", "id": "id", "active": "active"}.get(
            each.attribute
        )
        if name is None:
            raise _not_asked_by()
        if name in wanted and wanted[name] != each.value:
            return [], 0
        wanted[name] = each.value
    if "id" in wanted:
        wanted["id"] = _id(wanted["id"])
        if wanted["id"] is None:
            return [], 0
    active = wanted.get("active")
    asks = (
        force_id,
        _text(wanted.get("user_name")),
        _text(wanted.get("external_id")),
        wanted.get("id"),
        active if isinstance(active, bool) or active is None else str(active).lower() == "true",
    )
    total = int(await tx.fetch_value(QUERIES.count_scim_users, *asks))
    rows = await tx.fetch(QUERIES.scim_users, *asks, count, start - 1) if count else []
    return [_user(row) for row in rows], total


async def users_without_entry(tx: Transaction, force_id: str) -> list[ScimUserRow]:
    """People in service who stand on no register, 50 at most."""
    return [_user(row) for row in await tx.fetch(QUERIES.scim_users_without_entry, force_id, PAGE)]


async def save_group(tx: Transaction, force_id: str, group_id: UUID, group: ScimGroup, now: datetime) -> None:
    """Keep a group as it is now, not its members.

    :raises ScimRefused: another has its name.
    """
    try:
        await tx.run(QUERIES.save_scim_group, force_id, group_id, group.display_name, group.external_id, now)
    except asyncpg.UniqueViolationError as fault:
        raise _taken("displayName") from fault


async def change_members(
    tx: Transaction, force_id: str, group_id: UUID, joined: Iterable[UUID], left: Iterable[UUID]
) -> None:
    """Who is in a group from now on, and who no more."""
    await tx.run(QUERIES.add_members, force_id, group_id, sorted(joined))
    await tx.run(QUERIES.remove_members, force_id, group_id, sorted(left))


async def remove_group(tx: Transaction, force_id: str, group_id: UUID) -> None:
    """Forget a group."""
    await tx.run(QUERIES.remove_scim_group, force_id, group_id)


async def lock_group(tx: Transaction, force_id: str, group_id: UUID) -> ScimGroupRow | None:
    """A group, locked until the transaction ends."""
    row = await tx.fetch_row(QUERIES.lock_scim_group, force_id, group_id)
    return _group(row) if row else None


async def groups(
    tx: Transaction, force_id: str, asked: Sequence[Comparison], start: int, count: int
) -> tuple[list[ScimGroupRow], int]:
    """`count` groups from the `start`-th (from 1) of those that were asked for, and how many there are in all.

    :raises ScimRefused: no group can be asked for by one of the attributes.
    """
    wanted: dict[str, Any] = {}
    for each in asked:
        name = {
            "displayname": "display_name",
            "externalid": "external_id",
            "id": "id",
            "members": "member",
            "members.value": "member",
        }.get(each.attribute)
        if name is None:
            raise _not_asked_by()
        wanted[name] = each.value
    for name in ("id", "member"):
        if name in wanted:
            wanted[name] = _id(wanted[name])
            if wanted[name] is None:
                return [], 0
    asks = (
        force_id,
        _text(wanted.get("display_name")),
        _text(wanted.get("external_id")),
        wanted.get("id"),
        wanted.get("member"),
    )
    total = int(await tx.fetch_value(QUERIES.count_scim_groups, *asks))
    rows = await tx.fetch(QUERIES.scim_groups, *asks, count, start - 1) if count else []
    return [_group(row) for row in rows], total


async def members_of_groups(tx: Transaction, force_id: str, ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Who is in these groups; an empty one is left out."""
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in await tx.fetch(QUERIES.members_of_groups, force_id, list(ids)):
        found[uuid_of(row["group_id"])].append(uuid_of(row["user_id"]))
    return dict(found)


async def groups_of_users(tx: Transaction, force_id: str, ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Id and name of the groups each of these people is in; who is in none is left out."""
    found: defaultdict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    for row in await tx.fetch(QUERIES.groups_of_users, force_id, list(ids)):
        found[uuid_of(row["user_id"])].append((uuid_of(row["id"]), row["display_name"]))
    return dict(found)


def _user(row: Row) -> ScimUserRow:
    return ScimUserRow(uuid_of(row["id"]), row["document"], row["created_at"], row["changed_at"])


def _group(row: Row) -> ScimGroupRow:
    return ScimGroupRow(
        uuid_of(row["id"]), row["display_name"], row["external_id"], row["created_at"], row["changed_at"]
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _id(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _taken(what: str) -> ScimRefused:
    return ScimRefused(409, f"{what} is another’s.", "uniqueness")


def _not_asked_by() -> ScimRefused:
    return ScimRefused(400, "There is no filter by that attribute here.", "invalidFilter")
