"""People and groups as the identity provider tells of them by SCIM: kept, and the register with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.assignment.domain.people import Officer, Source
from services.assignment.domain.scim import (
    Document,
    ScimGroup,
    group_of,
    patched_group,
    patched_user,
    placed,
    user_document,
)
from services.assignment.domain.scim_text import Comparison, ScimRefused
from services.assignment.handlers.people import hold, settle
from services.assignment.handlers.walks import Policies, new_id
from services.assignment.store import areas as area_rows
from services.assignment.store import officers as officer_rows
from services.assignment.store import provisioning as rows
from services.assignment.store.provisioning import ScimGroupRow, ScimUserRow
from shared import audit
from shared.database import Transaction

ACTOR: Final = "identity-provider"
"""Who the log says it was."""
TOLD: Final = "told by SCIM"
GONE: Final = "the identity provider has them no more"


@dataclass(frozen=True, slots=True)
class User:
    """A person with id and name of the groups they are in."""

    row: ScimUserRow
    groups: Sequence[tuple[UUID, str]] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group with its members."""

    row: ScimGroupRow
    members: Sequence[UUID] = ()


async def create_user(tx: Transaction, force_id: str, sent: object, now: datetime, *, policies: Policies) -> User:
    """Somebody new. One who was deleted before comes back.

    :raises ScimRefused: it is no person, or userName or externalId is another's.
    """
    user_id = new_id()
    await rows.add_user(tx, force_id, user_id, user_document(sent), now)
    await _place(tx, force_id, [user_id], now, policies)
    return await user(tx, force_id, user_id)


async def change_user(
    tx: Transaction,
    force_id: str,
    user_id: UUID,
    sent: object,
    now: datetime,
    *,
    policies: Policies,
    whole: bool,
) -> User:
    """Somebody as sent whole (PUT), or changed by the operations that were sent (PATCH).

    :raises ScimRefused:
    """
    found = await rows.lock_user(tx, force_id, user_id)
    if found is None:
        raise not_found()
    document: Document = user_document(sent) if whole else patched_user(found.document, sent)
    before = found.user.subject
    await rows.change_user(tx, force_id, user_id, document, now)
    await _place(tx, force_id, [user_id], now, policies, gone=[before])
    return await user(tx, force_id, user_id)


async def delete_user(tx: Transaction, force_id: str, user_id: UUID, now: datetime, *, policies: Policies) -> None:
    """Somebody whom the identity provider has no more loses everything at once.

    :raises ScimRefused: there is no such person.
    """
    found = await rows.lock_user(tx, force_id, user_id)
    if found is None:
        raise not_found()
    await rows.remove_user(tx, force_id, user_id, now)
    await _place(tx, force_id, [], now, policies, gone=[found.user.subject])


async def user(tx: Transaction, force_id: str, user_id: UUID) -> User:
    """One person.

    :raises ScimRefused: there is no such person.
    """
    for row in await rows.users_by_id(tx, force_id, [user_id]):
        return User(row, (await rows.groups_of_users(tx, force_id, [user_id])).get(user_id, ()))
    raise not_found()


async def list_users(
    tx: Transaction, force_id: str, asked: Sequence[Comparison], start: int, count: int
) -> tuple[list[User], int]:
    """A part of the people that were asked for, and how many there are in all."""
    found, total = await rows.users(tx, force_id, asked, start, count)
    groups = await rows.groups_of_users(tx, force_id, [row.id for row in found])
    return [User(row, groups.get(row.id, ())) for row in found], total


async def create_group(tx: Transaction, force_id: str, sent: object, now: datetime, *, policies: Policies) -> Group:
    """A new group.

    :raises ScimRefused: it is none, or another has its name.
    """
    group, group_id = group_of(sent), new_id()
    await rows.save_group(tx, force_id, group_id, group, now)
    await rows.change_members(tx, force_id, group_id, group.members, [])
    await _place(tx, force_id, group.members, now, policies)
    return await group_found(tx, force_id, group_id)


async def change_group(
    tx: Transaction,
    force_id: str,
    group_id: UUID,
    sent: object,
    now: datetime,
    *,
    policies: Policies,
    whole: bool,
) -> Group:
    """A group as sent whole (PUT), or changed by the operations that were sent (PATCH).

    :raises ScimRefused:
    """
    found = await rows.lock_group(tx, force_id, group_id)
    if found is None:
        raise not_found()
    members = frozenset((await rows.members_of_groups(tx, force_id, [group_id])).get(group_id, ()))
    before = ScimGroup(found.display_name, found.external_id, members)
    after = group_of(sent) if whole else patched_group(before, sent)
    await rows.save_group(tx, force_id, group_id, after, now)
    await rows.change_members(tx, force_id, group_id, after.members - members, members - after.members)
    changed = members | after.members if after.display_name != found.display_name else members ^ after.members
    await _place(tx, force_id, changed, now, policies)
    return await group_found(tx, force_id, group_id)


async def delete_group(tx: Transaction, force_id: str, group_id: UUID, now: datetime, *, policies: Policies) -> None:
    """A group the identity provider has no more.

    :raises ScimRefused: there is no such group.
    """
    if await rows.lock_group(tx, force_id, group_id) is None:
        raise not_found()
    members = (await rows.members_of_groups(tx, force_id, [group_id])).get(group_id, [])
    await rows.remove_group(tx, force_id, group_id)
    await _place(tx, force_id, members, now, policies)


async def group_found(tx: Transaction, force_id: str, group_id: UUID) -> Group:
    """One group.

    :raises ScimRefused: there is no such group.
    """
    found, _ = await list_groups(tx, force_id, [Comparison("id", str(group_id))], 1, 1)
    if not found:
        raise not_found()
    return found[0]


async def list_groups(
    tx: Transaction, force_id: str, asked: Sequence[Comparison], start: int, count: int
) -> tuple[list[Group], int]:
    """A part of the groups that were asked for, and how many there are in all."""
    found, total = await rows.groups(tx, force_id, asked, start, count)
    members = await rows.members_of_groups(tx, force_id, [row.id for row in found])
    return [Group(row, members.get(row.id, ())) for row in found], total


async def _place(
    tx: Transaction,
    force_id: str,
    user_ids: Iterable[UUID],
    now: datetime,
    policies: Policies,
    gone: Sequence[str] = (),
) -> None:
    """Bring the register to what the identity provider says of these people; of `gone`, who is nobody now is off."""
    people = await rows.users_by_id(tx, force_id, user_ids)
    groups = await rows.groups_of_users(tx, force_id, [row.id for row in people])
    teams = await area_rows.team_names(tx, force_id)
    subjects = sorted({*(row.user.subject for row in people), *gone})
    await hold(tx, force_id, subjects)
    found = await officer_rows.officers_by_id(tx, [(force_id, subject) for subject in subjects])
    changed: dict[str, Officer] = {}
    for row in people:
        entry = placed(
            force_id,
            row.user,
            [name for _, name in groups.get(row.id, ())],
            found.get((force_id, row.user.subject)),
            teams,
        )
        if entry is not None:
            changed[entry.id] = entry
    there = {row.user.subject for row in people}
    for subject in gone:
        if subject not in there and (entry := found.get((force_id, subject))) is not None:
            changed[subject] = _off(entry)
    await officer_rows.save_officers(tx, list(changed.values()))
    await audit.record(
        tx,
        [
            audit.Entry(force_id, ACTOR, "altered", f"officer {subject}", TOLD if subject in there else GONE)
            for subject in subjects
        ],
        now,
    )
    await settle(tx, force_id, sorted(changed), policies[force_id], ACTOR, now)


def _off(entry: Officer) -> Officer:
    return replace(entry, active=False, source=Source.SCIM)


def not_found() -> ScimRefused:
    """Nothing of that id."""
    return ScimRefused(404, "There is nothing of that id.")
