"""Patrols as they stand, and where more are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.assignment.domain.patrols import Logged, Patrol, Wanted
from services.assignment.store import QUERIES
from services.assignment.store.rows import PAGE, Key, columns, point_of, uuid_of
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.walks import PatrolKind
from shared.database import Row, Transaction


async def save_patrols(tx: Transaction, changed: Sequence[Patrol]) -> None:
    """Write patrols as they now are, with the concerns they were for."""
    await tx.run(
        QUERIES.save_patrols,
        [each.force_id for each in changed],
        [each.id for each in changed],
        [each.area_id for each in changed],
        [each.team_id for each in changed],
        [each.said.kind.value for each in changed],
        [each.said.starts_at for each in changed],
        [each.said.ends_at for each in changed],
        # Arrays of arrays are taken apart to the last element, so the points stand in an object.
        [{"points": [at.model_dump() for at in each.said.places]} if each.said.places else None for each in changed],
        [each.said.conversations for each in changed],
        [each.said.heard for each in changed],
        [each.logged_at for each in changed],
        [each.logged_by for each in changed],
        [each.replaces for each in changed],
        [each.withdrawn_at for each in changed],
        [each.withdrawn_by for each in changed],
    )
    because = [(each, concern_id) for each in changed for concern_id in each.said.concern_ids]
    await tx.run(
        QUERIES.save_concerns_of_patrols,
        [each.force_id for each, _ in because],
        [each.id for each, _ in because],
        [concern_id for _, concern_id in because],
    )


async def patrol(tx: Transaction, key: Key) -> Patrol | None:
    """One, if there is."""
    rows = await tx.fetch(QUERIES.patrols_by_id, *columns([key]))
    return _patrol(rows[0]) if rows else None


async def lock_patrol(tx: Transaction, key: Key) -> Patrol | None:
    """One, if there is, locked until the transaction ends."""
    rows = await tx.fetch(QUERIES.lock_patrols, *columns([key]))
    return _patrol(rows[0]) if rows else None


async def patrols(
    tx: Transaction, force_id: str, team_ids: Sequence[str] | None, page: int
) -> tuple[list[Patrol], bool]:
    """A page (from 1) of those of these teams, or of the force, the latest first and without what was heard; whether
    more follow."""
    if team_ids is None:
        rows = await tx.fetch(QUERIES.patrols_of_force, force_id, PAGE + 1, (page - 1) * PAGE)
    else:
        rows = await tx.fetch(QUERIES.patrols_of_teams, force_id, list(team_ids), PAGE + 1, (page - 1) * PAGE)
    return [_patrol(row) for row in rows[:PAGE]], len(rows) > PAGE


async def wanted(
    tx: Transaction,
    force_id: str,
    team_ids: Sequence[str] | None,
    partner_ids: Iterable[str],
    asking: tuple[str, str | None],
    page: int,
) -> tuple[list[Wanted], bool]:
    """A page (from 1) of the concerns for which a patrol is wanted; `asking` is the officer and the officer's team,
    `partner_ids` the police's own patrols among the partners."""
    teams = None if team_ids is None else list(team_ids)
    asks = (list(partner_ids), *asking, PAGE + 1, (page - 1) * PAGE)
    rows = await tx.fetch(QUERIES.patrols_wanted, force_id, teams, *asks)
    return [_wanted(row) for row in rows[:PAGE]], len(rows) > PAGE


async def say_enough(tx: Transaction, concern: Key, by: str, now: datetime) -> None:
    """Patrols are not wanted there any more."""
    await tx.run(QUERIES.say_enough, *concern, now, by)


async def empty_heard(tx: Transaction, force_id: str, patrol_ids: Sequence[UUID]) -> None:
    """Forget what was heard on these patrols."""
    await tx.run(QUERIES.empty_heard, force_id, list(patrol_ids))


def _patrol(row: Row) -> Patrol:
    return Patrol(
        force_id=row["force_id"],
        id=uuid_of(row["id"]),
        area_id=row["area_id"],
        team_id=row["team_id"],
        said=Logged(
            kind=PatrolKind(row["kind"]),
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            places=tuple(map(Point.model_validate, row["places"]["points"])) if row["places"] else (),
            concern_ids=tuple(map(uuid_of, row["concern_ids"])),
            conversations=row["conversations"],
            heard=row["heard"],
        ),
        logged_at=row["logged_at"],
        logged_by=row["logged_by"],
        replaces=uuid_of(row["replaces"]) if row["replaces"] else None,
        withdrawn_at=row["withdrawn_at"],
        withdrawn_by=row["withdrawn_by"],
    )


def _wanted(row: Row) -> Wanted:
    return Wanted(
        concern_id=uuid_of(row["id"]),
        area_id=row["area_id"],
        team_id=row["team_id"],
        category=Reason(row["category"]),
        place=point_of(row),
        place_name=row["place_name"],
        time_of_day=PartOfDay(row["time_of_day"]) if row["time_of_day"] else None,
        severity=Severity(row["severity"]),
        wanted_at=row["wanted_at"],
        patrols=row["patrols"],
        last_at=row["last_at"],
    )
