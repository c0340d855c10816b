"""What was disclosed, as far as it is kept: read and written for its own pages and the gate, by nothing that counts or
publishes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.assignment.domain.disclosures import Disclosure, DisclosureKind, Mistake, Safeguarding, Signpost, Stand
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE, Key, columns, uuid_of
from shared.database import Row, Transaction


async def save_disclosures(tx: Transaction, changed: Sequence[Disclosure]) -> None:
    """Write disclosures as they now are."""
    await tx.run(
        QUERIES.save_disclosures,
        [each.force_id for each in changed],
        [each.id for each in changed],
        [each.walk_id for each in changed],
        [each.opened_at for each in changed],
        [each.opened_by for each in changed],
        [each.due_at for each in changed],
        [each.kind for each in changed],
        [each.reference for each in changed],
        [" ".join(each.safeguarding) for each in changed],
        [each.safeguarded_at for each in changed],
        [each.safeguarded_by for each in changed],
        [" ".join(each.signposted) for each in changed],
        [each.recorded_at for each in changed],
        [each.recorded_by for each in changed],
        [each.withdrawn_at for each in changed],
        [each.withdrawn_by for each in changed],
        [each.withdrawn_because for each in changed],
        [each.is_unsettled for each in changed],
    )


async def disclosures_of_walks(tx: Transaction, walks: Iterable[Key]) -> Mapping[UUID, Sequence[Disclosure]]:
    """What came up on these walks, by walk; a walk without is not left out of the mapping."""
    found: defaultdict[UUID, list[Disclosure]] = defaultdict(list)
    for row in await tx.fetch(QUERIES.disclosures_of_walks, *columns(walks)):
        found[uuid_of(row["walk_id"])].append(_disclosure(row))
    return found


async def stands_of_walks(tx: Transaction, walks: Iterable[Key]) -> Mapping[UUID, Sequence[Stand]]:
    """How far those of these walks are, by walk: what the gate has to know."""
    found: defaultdict[UUID, list[Stand]] = defaultdict(list)
    for row in await tx.fetch(QUERIES.stands_of_walks, *columns(walks)):
        found[uuid_of(row["walk_id"])].append(Stand(row["unsettled"], row["withdrawn_at"]))
    return found


async def disclosure(tx: Transaction, key: Key) -> Disclosure | None:
    """One, if there is."""
    rows = await tx.fetch(QUERIES.disclosures_by_id, *columns([key]))
    return _disclosure(rows[0]) if rows else None


async def lock_disclosure(tx: Transaction, key: Key) -> Disclosure | None:
    """One, if there is, locked until the transaction ends."""
    rows = await tx.fetch(QUERIES.lock_disclosures, *columns([key]))
    return _disclosure(rows[0]) if rows else None


async def disclosures(
    tx: Transaction,
    force_id: str,
    asking: str,
    page: int,
    *,
    is_unsettled: bool,
    only_theirs: bool,
    team_id: str | None,
) -> tuple[list[Disclosure], bool]:
    """A page (from 1) of those of a force, or only of those of whoever is `asking`; whether more follow."""
    asks = (force_id, is_unsettled, asking, PAGE + 1, (page - 1) * PAGE)
    if only_theirs:
        rows = await tx.fetch(QUERIES.disclosures_of_officer, *asks, asking, team_id)
    else:
        rows = await tx.fetch(QUERIES.disclosures_of_force, *asks)
    return [_disclosure(row) for row in rows[:PAGE]], len(rows) > PAGE


async def is_overdue(tx: Transaction, force_id: str, asking: str, now: datetime) -> bool:
    """Whether there is one past its time that whoever is `asking` may know of."""
    return bool(await tx.fetch_value(QUERIES.is_disclosure_overdue, force_id, now, asking))


async def mark_overdue(tx: Transaction, passed: Iterable[Key], now: datetime) -> int:
    """Mark those that have passed their time; how many were not marked before."""
    return await tx.run(QUERIES.mark_disclosures_overdue, *columns(passed), now)


async def overdue(tx: Transaction, now: datetime) -> dict[str, int]:
    """How many are past their time, by force: for the one gauge there is of them."""
    return {row["force_id"]: row["many"] for row in await tx.fetch(QUERIES.disclosures_overdue, now)}


async def unlink(tx: Transaction, walks: Iterable[Key]) -> None:
    """Let nothing lead from what came up on these walks to them."""
    await tx.run(QUERIES.unlink_disclosures, *columns(walks))


async def settled_since(tx: Transaction, wanted: Iterable[Key]) -> dict[Key, datetime]:
    """Since when these have been over; those that are not are left out."""
    rows = await tx.fetch(QUERIES.settled_disclosures, *columns(wanted))
    return {(row["force_id"], uuid_of(row["id"])): row["since"] for row in rows}


async def drop(tx: Transaction, past: Iterable[Key]) -> None:
    """Forget those that were kept long enough."""
    await tx.run(QUERIES.drop_disclosures, *columns(past))


def _disclosure(row: Row) -> Disclosure:
    return Disclosure(
        force_id=row["force_id"],
        id=uuid_of(row["id"]),
        walk_id=uuid_of(row["walk_id"]) if row["walk_id"] else None,
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        due_at=row["due_at"],
        kind=DisclosureKind(row["kind"]) if row["kind"] else None,
        reference=row["reference"],
        safeguarding=tuple(map(Safeguarding, row["safeguarding"])),
        safeguarded_at=row["safeguarded_at"],
        safeguarded_by=row["safeguarded_by"],
        signposted=tuple(map(Signpost, row["signposted"])),
        recorded_at=row["recorded_at"],
        recorded_by=row["recorded_by"],
        overdue_at=row["overdue_at"],
        withdrawn_at=row["withdrawn_at"],
        withdrawn_by=row["withdrawn_by"],
        withdrawn_because=Mistake(row["withdrawn_because"]) if row["withdrawn_because"] else None,
    )
