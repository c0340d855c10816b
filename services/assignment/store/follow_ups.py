"""Follow-ups as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.assignment.domain.attempts import Outcome
from services.assignment.domain.calls import Call, Way
from services.assignment.domain.follow_ups import FollowUp, FollowUpKind
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE, Key, columns, uuid_of
from shared.contracts.kinds import Urgency
from shared.contracts.walk_requests import ContactWanted
from shared.database import Row, Transaction

END_OF_TIME: Final = datetime(9000, 1, 1, tzinfo=UTC)


async def save_follow_ups(tx: Transaction, changed: Sequence[FollowUp]) -> None:
    """Write follow-ups as they now are, new ones and changed ones alike."""
    if not changed:
        return
    await tx.run(
        QUERIES.save_follow_ups,
        [each.force_id for each in changed],
        [each.id for each in changed],
        [each.kind.value for each in changed],
        [each.urgency.value for each in changed],
        [each.opened_at for each in changed],
        [each.due_at for each in changed],
        [each.request_id for each in changed],
        [each.contact_id for each in changed],
        [each.walk_id for each in changed],
        [each.officer_id for each in changed],
        [" ".join(each.reasons) for each in changed],
        [each.overdue_at for each in changed],
        [each.completed_at for each in changed],
        [each.completed_by for each in changed],
        [each.outcome for each in changed],
        [each.reopened for each in changed],
    )


async def keep_contacts(tx: Transaction, wanted: Sequence[tuple[str, ContactWanted, UUID]], now: datetime) -> None:
    """Keep which follow-up a wanted contact belongs to, given as (force, event, follow-up)."""
    await tx.run(
        QUERIES.keep_contacts,
        [force_id for force_id, _, _ in wanted],
        [event.contact_id for _, event, _ in wanted],
        [follow_up_id for _, _, follow_up_id in wanted],
        [event.urgency.value for _, event, _ in wanted],
        [now] * len(wanted),
    )


async def follow_ups_of_requests(tx: Transaction, requests: Iterable[Key]) -> list[UUID]:
    """The follow-up about each of these requests that has had one: the one that is open, or the last."""
    return [uuid_of(row["id"]) for row in await tx.fetch(QUERIES.follow_ups_of_requests, *columns(requests))]


async def keep_calls(tx: Transaction, made: Sequence[Call]) -> None:
    """Keep attempts to reach her."""
    await tx.run(
        QUERIES.keep_calls,
        [each.force_id for each in made],
        [each.id for each in made],
        [each.follow_up_id for each in made],
        [each.at for each in made],
        [each.by_id for each in made],
        [each.way.value for each in made],
        [each.outcome.value for each in made],
    )


async def calls(tx: Transaction, follow_up: Key) -> list[Call]:
    """What was tried in a follow-up, the latest first."""
    return [
        Call(
            force_id=row["force_id"],
            id=uuid_of(row["id"]),
            follow_up_id=uuid_of(row["follow_up_id"]),
            at=row["at"],
            by_id=row["by_id"],
            way=Way(row["way"]),
            outcome=Outcome(row["outcome"]),
        )
        for row in await tx.fetch(QUERIES.calls_of_follow_ups, *columns([follow_up]))
    ]


async def erase_calls(tx: Transaction, requests: Iterable[Key]) -> None:
    """Forget what was tried to reach these women."""
    await tx.run(QUERIES.erase_calls, *columns(requests))


async def known_contacts(tx: Transaction, contacts: Iterable[Key]) -> set[UUID]:
    """Which of these wanted contacts have a follow-up already."""
    return {row["contact_id"] for row in await tx.fetch(QUERIES.known_contacts, *columns(contacts))}


async def lock_follow_ups(tx: Transaction, wanted: Iterable[Key]) -> dict[UUID, FollowUp]:
    """These follow-ups, locked until the transaction ends; unknown ones are left out."""
    rows = await tx.fetch(QUERIES.lock_follow_ups, *columns(wanted))
    return {each.id: each for each in map(_follow_up, rows)}


async def follow_ups_by_id(tx: Transaction, wanted: Iterable[Key]) -> dict[UUID, FollowUp]:
    """These follow-ups; unknown ones are left out."""
    rows = await tx.fetch(QUERIES.follow_ups_by_id, *columns(wanted))
    return {each.id: each for each in map(_follow_up, rows)}


async def follow_ups(
    tx: Transaction,
    force_id: str,
    officer_id: str | None,
    asking: str,
    page: int,
    *,
    is_open: bool = True,
    due_before: datetime = END_OF_TIME,
    kind: FollowUpKind | None = None,
) -> tuple[list[FollowUp], bool]:
    """A page (from 1) of the follow-ups of a force or one officer, due first, and whether more follow.

    Those of women who exclude whoever is `asking` are left out.
    """
    asks = (force_id, is_open, asking, PAGE + 1, (page - 1) * PAGE, due_before, kind)
    if officer_id is None:
        rows = await tx.fetch(QUERIES.follow_ups_of_force, *asks)
    else:
        rows = await tx.fetch(QUERIES.follow_ups_of_officer, *asks, officer_id)
    return [_follow_up(row) for row in rows[:PAGE]], len(rows) > PAGE


async def follow_ups_of_walk(tx: Transaction, walk: Key) -> list[FollowUp]:
    """The follow-ups of a walk."""
    return [_follow_up(row) for row in await tx.fetch(QUERIES.follow_ups_of_walks, *columns([walk]))]


async def release_follow_ups(tx: Transaction, walks: Iterable[Key]) -> None:
    """Give open follow-ups of these walks to a coordinator where the woman now excludes their officer or team."""
    await tx.run(QUERIES.release_follow_ups, *columns(walks))


async def mark_overdue(tx: Transaction, passed: Iterable[Key], now: datetime) -> int:
    """Mark open follow-ups that have passed their day; how many were not marked before."""
    return await tx.run(QUERIES.mark_overdue, *columns(passed), now)


def _follow_up(row: Row) -> FollowUp:
    return FollowUp(
        force_id=row["force_id"],
        id=uuid_of(row["id"]),
        kind=FollowUpKind(row["kind"]),
        urgency=Urgency(row["urgency"]),
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        request_id=uuid_of(row["request_id"]) if row["request_id"] else None,
        contact_id=uuid_of(row["contact_id"]) if row["contact_id"] else None,
        walk_id=uuid_of(row["walk_id"]) if row["walk_id"] else None,
        officer_id=row["officer_id"],
        reasons=tuple(row["reasons"]),
        overdue_at=row["overdue_at"],
        completed_at=row["completed_at"],
        completed_by=row["completed_by"],
        outcome=row["outcome"],
        reopened=row["reopened"],
    )
