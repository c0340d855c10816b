"""Rows of partners' database, in sets; the only module that touches them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.partners.domain import (
    By,
    Case,
    Change,
    Concern,
    ConcernState,
    Coverage,
    Delivery,
    Letter,
    Line,
    Partner,
    Referral,
    ReferralState,
    Register,
    Said,
    Sheet,
    TriageReason,
    Waiting,
)
from shared.contracts.areas import AreaPublished
from shared.contracts.concerns import ConcernRaised
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.partner_view import PartnerReferralStatus
from shared.contracts.referrals import Progress, Resolution
from shared.database import Queries, Row, Transaction

QUERIES: Final = Queries.read(Path(__file__).with_name("queries.sql"))
PAGE: Final = 50
"""Rows of a list on one page."""

Key = tuple[str, UUID]
"""A force and an id: rows are never found by id alone."""


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around a concern just raised."""

    area_name: str | None
    known: bool


async def save_register(tx: Transaction, register: Register) -> bool:
    """Take over a force's register; False where a newer version stands already."""
    if await tx.fetch_value(QUERIES.save_register_version, register.force_id, register.version) is None:
        return False
    partners = register.partners
    await tx.run(
        QUERIES.save_partners,
        register.force_id,
        [one.id for one in partners],
        [one.name for one in partners],
        [one.kind for one in partners],
        [one.email for one in partners],
        [one.agreed_on for one in partners],
        # As text: a list of lists would be taken for one array of two dimensions.
        [
            json.dumps([{"areas": sorted(c.areas), "categories": sorted(c.categories)} for c in one.coverage])
            for one in partners
        ],
    )
    await tx.run(QUERIES.end_agreements, register.force_id, [one.id for one in partners])
    return True


async def register_versions(tx: Transaction, forces: Collection[str]) -> dict[str, int]:
    """Which policy version each force's register was taken from."""
    rows = await tx.fetch(QUERIES.register_version, list(forces))
    return {row["force_id"]: row["version"] for row in rows}


async def partners(tx: Transaction, forces: Collection[str]) -> dict[str, list[Partner]]:
    """Everybody these forces have an agreement with, by force."""
    found: dict[str, list[Partner]] = {force: [] for force in forces}
    for row in await tx.fetch(QUERIES.partners, list(forces)):
        found[row["force_id"]].append(
            Partner(
                row["id"],
                row["name"],
                row["kind"],
                row["email"],
                row["agreed_on"],
                tuple(
                    Coverage(frozenset(c["areas"]), frozenset(Reason(one) for one in c["categories"]))
                    for c in row["coverage"]
                ),
            )
        )
    return found


async def save_areas(tx: Transaction, published: Iterable[tuple[str, AreaPublished]]) -> None:
    """Areas by name, each with its force."""
    # One area may be published by two forces in one group, but never twice by one: the bus hands out each key once.
    rows = [(force, one.area_id, one.area_name, one.team_id, one.team_name) for force, one in published]
    await tx.run(QUERIES.save_areas, *_columns(rows, 5))


async def around(tx: Transaction, raised: Iterable[tuple[str, ConcernRaised]]) -> dict[Key, Around]:
    """What is known around concerns just raised."""
    rows = await tx.fetch(
        QUERIES.around_concerns, *_columns([(force, one.concern_id, one.area_id) for force, one in raised], 3)
    )
    return {(row["force_id"], row["concern_id"]): Around(row["area_name"], row["known"]) for row in rows}


async def save_concerns(tx: Transaction, concerns: Sequence[Concern], now: datetime) -> None:
    """New concerns, received at `now`."""
    rows = [
        (
            one.force_id,
            one.id,
            one.state,
            one.triage_reason,
            one.area_id,
            one.category,
            one.place.latitude,
            one.place.longitude,
            one.place_name,
            one.time_of_day,
            one.severity,
            one.words,
            one.raised_on,
        )
        for one in concerns
    ]
    if rows:
        await tx.run(QUERIES.save_concerns, *_columns(rows, 13), now)


async def save_tombstones(tx: Transaction, keys: Sequence[Key], now: datetime) -> None:
    """Concerns withdrawn before they were raised."""
    if keys:
        await tx.run(QUERIES.save_tombstones, *_columns(keys, 2), now)


async def change_concerns(tx: Transaction, concerns: Sequence[Concern]) -> None:
    """Concerns that went on."""
    rows = [(one.force_id, one.id, one.state, one.triage_reason, one.words, one.place_name) for one in concerns]
    if rows:
        await tx.run(QUERIES.change_concerns, *_columns(rows, 6))


async def save_referrals(tx: Transaction, made: Sequence[tuple[Concern, Referral]]) -> None:
    """New referrals of these concerns."""
    rows = [
        (concern.force_id, one.id, one.reference, concern.id, one.partner_id, one.made_at, one.respond_by)
        for concern, one in made
    ]
    if rows:
        await tx.run(QUERIES.save_referrals, *_columns(rows, 7))


async def change_referrals(tx: Transaction, changed: Sequence[tuple[str, Referral]], now: datetime) -> None:
    """What became of referrals, each with its force."""
    rows = [
        (
            force,
            one.id,
            one.state,
            one.overdue,
            one.progress,
            one.words,
            one.planned_for,
            one.reason,
            one.resolution,
        )
        for force, one in changed
    ]
    if rows:
        await tx.run(QUERIES.change_referrals, *_columns(rows, 9), now)


async def save_changes(tx: Transaction, changes: Sequence[tuple[str, Change]], now: datetime) -> None:
    """Lines of history, each with its force."""
    rows = [
        (force, one.referral_id, one.by, one.status, one.progress, one.words, one.planned_for) for force, one in changes
    ]
    if rows:
        await tx.run(QUERIES.save_changes, now, *_columns(rows, 7))


async def save_deliveries(
    tx: Transaction, deliveries: Sequence[tuple[str, UUID, UUID, str, str]], now: datetime
) -> list[Key]:
    """(force, id, referral, partner, kind) to be sent; those that go, because the partner can be written to."""
    if not deliveries:
        return []
    rows = await tx.fetch(QUERIES.save_deliveries, *_columns(deliveries, 5), now)
    return [(row["force_id"], row["id"]) for row in rows]


async def deliveries_of(tx: Transaction, referrals: Sequence[Key]) -> list[Key]:
    """What was to be sent about these referrals."""
    if not referrals:
        return []
    return [(row["force_id"], row["id"]) for row in await tx.fetch(QUERIES.deliveries_of, *_columns(referrals, 2))]


async def concerns_of_references(tx: Transaction, references: Sequence[Key]) -> dict[Key, Key]:
    """The concern of each reference."""
    rows = await tx.fetch(QUERIES.concerns_of_references, *_columns(references, 2))
    return {(row["force_id"], row["reference"]): (row["force_id"], row["concern_id"]) for row in rows}


async def lock_cases(tx: Transaction, concerns: Collection[Key]) -> dict[Key, Case | None]:
    """Concerns with everybody asked about them, locked; None for a tombstone, absent where not known at all."""
    keys = sorted(set(concerns))
    locked = await tx.fetch(QUERIES.lock_concerns, *_columns(keys, 2))
    referrals: dict[Key, list[Referral]] = {}
    # Read after the lock, so that nobody's answer of a moment ago is missed.
    for row in await tx.fetch(QUERIES.referrals_of, *_columns(keys, 2)):
        referrals.setdefault((row["force_id"], row["concern_id"]), []).append(_referral(row))
    found: dict[Key, Case | None] = {}
    for row in locked:
        key = (row["force_id"], row["concern_id"])
        found[key] = None if row["area_id"] is None else Case(_concern(row), tuple(referrals.get(key, ())))
    return found


async def lock_referrals(tx: Transaction, referrals: Collection[Key]) -> dict[Key, Referral]:
    """Referrals, locked."""
    rows = await tx.fetch(QUERIES.lock_referrals, *_columns(sorted(set(referrals)), 2))
    return {(row["force_id"], row["id"]): _referral(row) for row in rows}


async def referral_list(
    tx: Transaction, partner_id: str | None, states: Collection[ReferralState], page: int
) -> tuple[list[Line], bool]:
    """A page (counted from 1) of one partner's referrals or of all, of one force, and whether there are more."""
    (force_id,) = tx.forces
    asks = (force_id, sorted(states), PAGE + 1, (page - 1) * PAGE)
    if partner_id is None:
        rows = await tx.fetch(QUERIES.referrals_of_force, *asks)
    else:
        rows = await tx.fetch(QUERIES.referrals_of_partner, *asks, partner_id)
    lines = [
        Line(
            row["reference"],
            row["concern_id"],
            row["partner_id"],
            row["partner_name"],
            ReferralState(row["state"]),
            row["made_at"],
            row["respond_by"],
            row["overdue"],
            _maybe(Progress, row["progress"]),
            Reason(row["category"]),
            Severity(row["severity"]),
            row["area_name"],
        )
        for row in rows[:PAGE]
    ]
    return lines, len(rows) > PAGE


async def sheet(tx: Transaction, reference: UUID, partner_id: str | None) -> Sheet | None:
    """One referral with its history; None where there is none or it is another partner's."""
    row = await tx.fetch_row(QUERIES.referral_page, reference, partner_id)
    if row is None:
        return None
    history = await tx.fetch(QUERIES.history, row["id"])
    deliveries = await tx.fetch(QUERIES.deliveries, row["id"])
    return Sheet(
        _concern(row),
        _referral(row),
        tuple(
            Said(
                one["at"],
                By(one["by"]),
                PartnerReferralStatus(one["status"]),
                _maybe(Progress, one["progress"]),
                one["words"],
                one["planned_for"],
            )
            for one in history
        ),
        tuple(Delivery(one["kind"], one["channel"], one["state"], one["ended_at"], one["fault"]) for one in deliveries),
    )


async def triage(tx: Transaction, page: int) -> tuple[list[Waiting], bool]:
    """A page (counted from 1) of concerns in triage, and whether there are more."""
    rows = await tx.fetch(QUERIES.triage, PAGE + 1, (page - 1) * PAGE)
    return [Waiting(_concern(row), row["received_at"], frozenset(row["asked"])) for row in rows[:PAGE]], len(
        rows
    ) > PAGE


async def letter(tx: Transaction, delivery: UUID) -> Letter | None:
    """What an e-mail to a partner is written from."""
    row = await tx.fetch_row(QUERIES.letter, delivery)
    if row is None:
        return None
    return Letter(
        row["kind"],
        row["made_at"],
        row["email"],
        row["partner_name"],
        row["reference"],
        ReferralState(row["state"]),
        row["respond_by"],
        _concern(row),
    )


async def counts(tx: Transaction) -> tuple[dict[str, int], int, dict[tuple[str, str], int]]:
    """Open referrals by state, concerns in triage, deliveries due and failed by channel."""
    referrals = {row["state"]: row["many"] for row in await tx.fetch(QUERIES.count_referrals)}
    waiting = await tx.fetch_value(QUERIES.count_triage)
    deliveries = {(row["channel"], row["state"]): row["many"] for row in await tx.fetch(QUERIES.count_deliveries)}
    return referrals, waiting, deliveries


def _concern(row: Row) -> Concern:
    return Concern(
        row["force_id"],
        row["concern_id"],
        row["area_id"],
        row["area_name"],
        Reason(row["category"]),
        Point(latitude=row["latitude"], longitude=row["longitude"]),
        row["place_name"],
        _maybe(PartOfDay, row["time_of_day"]),
        Severity(row["severity"]),
        row["concern_words"],
        row["raised_on"],
        ConcernState(row["concern_state"]),
        _maybe(TriageReason, row["triage_reason"]),
    )


def _referral(row: Row) -> Referral:
    return Referral(
        row["id"],
        row["reference"],
        row["partner_id"],
        row["partner_name"],
        ReferralState(row["state"]),
        row["made_at"],
        row["respond_by"],
        row["overdue"],
        _maybe(Progress, row["progress"]),
        row["words"],
        row["planned_for"],
        row["reason"],
        _maybe(Resolution, row["resolution"]),
    )


def _maybe(kind: Any, value: str | None) -> Any:
    return None if value is None else kind(value)


def _columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as the columns unnest() takes; `width` columns even where there are no rows."""
    columns: list[list[Any]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns
