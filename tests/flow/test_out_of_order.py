"""Events in any order their keys allow: what comes before its parent waits, and the end is the same.

There is no order across topics. The events of whole stories, as the four services published them, are given to each
service in shuffled orders that keep the order of every key and no other.
"""

from __future__ import annotations

import asyncio
import base64
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers import referrals
from services.feedback.subscribers import subscriptions as feedback_subscriptions
from services.intake.handlers.keeping import Keeping
from services.intake.metrics import IntakeMetrics
from services.intake.subscribers import subscriptions as intake_subscriptions
from services.intake.vault import Vault
from services.partners import handlers as partners_handlers
from services.partners.subscribers import subscriptions as partners_subscriptions
from shared.bus.inbox import Inbox, Record
from shared.bus.metrics import BusMetrics
from shared.bus.publishers import _headers
from shared.bus.subscriptions import Subscriptions
from shared.contracts.catalogue import SERVICES
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.referrals import (
    ConcernResolved,
    ReferralAccepted,
    ReferralDeclined,
    ReferralMade,
    ReferralUpdated,
)
from shared.contracts.walk_requests import ContactWanted
from shared.embedded.demo import Demo
from shared.embedded.program import ROOT
from shared.embedded.stack import Stack
from shared.policies import Policies
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker
from tests.servers.everywhere import rows as everywhere

pytestmark = pytest.mark.timeout(240)

POLICIES = Policies.read(ROOT / "deploy" / "forces")

STATES = {
    "intake": (
        "SELECT id, state, walk_id, team_id, officer_id, followed_up_at IS NOT NULL FROM walk_request",
        "SELECT concern_id, walk_id FROM walk_concern",
        "SELECT request_id, kind, count(*) FROM message GROUP BY 1, 2",
        "SELECT force_id, count(*) FROM wanted_contact GROUP BY 1",
    ),
    "assignment": (
        "SELECT id, concern_id, partner_id, state, words, respond_by, planned_for FROM referral",
        "SELECT kind, request_id, contact_id, walk_id, officer_id FROM follow_up WHERE kind = 'contact'",
        "SELECT kind, count(*) FROM follow_up GROUP BY 1",
    ),
    "partners": (
        "SELECT id, state, area_id, category FROM concern",
        "SELECT concern_id, partner_id, state FROM referral",
        "SELECT r.concern_id, d.kind, count(*) FROM delivery d JOIN referral r ON r.id = d.referral_id GROUP BY 1, 2",
        "SELECT topic, type, count(*) FROM outbox_log GROUP BY 1, 2",
    ),
    "feedback": (
        "SELECT id, area_id, category, raised_on, withdrawn, resolved_on, resolution FROM concern",
        "SELECT id, concern_id, partner_id, state FROM referral",
        "SELECT id, outcome, in_time FROM follow_up",
        "SELECT walk_id, survey, women FROM invitation",
        "SELECT survey, pair_id, month, answers FROM answers WHERE survey = 'baseline'",
    ),
}
"""What must be the same in the end: everything but ids minted on the way and times."""

GIVEN = {"intake": ("participant", "participant_key", "walk_request"), "assignment": ("walk", "request")}
"""Rows a service made by commands before the events came."""
LATE = {"assignment": ("concern",)}
"""Rows a command makes only when half of the events have been waiting for them."""


@dataclass(frozen=True)
class Told:
    """The events of whole stories, and the rows that commands had made."""

    records: dict[str, list[Record]]
    rows: dict[tuple[str, str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def told(stack: Stack) -> Told:
    """Eighteen walks through the running stack: nine a force, so that baselines (eight at once) leave too."""
    return asyncio.run(_tell(stack))


async def _tell(stack: Stack) -> Told:
    # Of these stories alone: what others left may be parts of stories, and the words of some were erased.
    latest = "SELECT coalesce(max(position), 0) FROM outbox_log"
    before = {service: (await everywhere(stack, service, latest))[0][0] for service in SERVICES}
    report = await Demo(stack, 18, seed=23).run()
    assert report.faults == []
    records: dict[str, list[Record]] = {}
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for service in SERVICES:
        connection = await asyncpg.connect(stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{service}")
        try:
            log = await connection.fetch(
                # Areas were told when the stack began.
                "SELECT * FROM outbox_log WHERE headers IS NULL AND (position > $1 OR topic = 'areas.v1')"
                " ORDER BY position",
                before[service],
            )
            records[service] = [
                Record(row["topic"], 0, n, str(row["key"]).encode(), row["data"], tuple(_headers(row, f"/{service}")))
                for n, row in enumerate(log)
            ]
            for table in (*GIVEN.get(service, ()), *LATE.get(service, ())):
                found = await connection.fetch(f"SELECT * FROM {table}")  # noqa: S608  # names from above
                rows[(service, table)] = [dict(row) for row in found]
        finally:
            await connection.close()
    return Told(records, rows)


def subscriptions_of(service: str, stack: Stack) -> Subscriptions:
    """The service's own; of assignment those whose parents its commands make."""
    match service:
        case "intake":
            keeping = Keeping(
                Vault.of(stack.secrets.master_key),
                base64.b64decode(stack.secrets.link_key),
                "http://feedback.example",
                "http://intake.example",
                IntakeMetrics(CollectorRegistry()),
            )
            return intake_subscriptions(keeping)
        case "partners":
            return partners_subscriptions(POLICIES)
        case "feedback":
            return feedback_subscriptions(POLICIES)
        case _:
            subscribe = Subscriptions("assignment")
            for event in (ReferralMade, ReferralAccepted, ReferralDeclined, ReferralUpdated, ConcernResolved):
                subscribe.to(event, referrals.note_referrals)

            async def follow_up(tx: Any, received: Any, now: datetime) -> Any:
                return await following_up.open_follow_ups(tx, received, now, policies=POLICIES)

            async def review(tx: Any, received: Any, now: datetime) -> Any:
                return await following_up.open_reviews(tx, received, now, policies=POLICIES)

            subscribe.to(ContactWanted, follow_up)
            subscribe.to(FeedbackFlagged, review)
            return subscribe


def shuffled(records: Sequence[Record], seed: int) -> list[Record]:
    """Another order of these records that keeps the order of each topic and key."""
    chance = random.Random(seed)
    queues: dict[tuple[str, bytes | None], list[Record]] = defaultdict(list)
    for record in records:
        queues[(record.topic, record.key)].append(record)
    found: list[Record] = []
    waiting = list(queues.values())
    if seed == 0:
        # The worst: children's topics first of all.
        waiting.sort(key=lambda queue: (-len(queue), queue[0].topic), reverse=True)
        return [record for queue in reversed(waiting) for record in queue]
    while waiting:
        queue = chance.choice(waiting)
        found.append(queue.pop(0))
        if not queue:
            waiting.remove(queue)
    return found


class Clock:
    """A clock that is put forward by hand, so that sweeps find what is due without waiting."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def connected(database: ServiceDatabase) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database.admin_url)
    try:
        yield connection
    finally:
        await connection.close()


async def put_rows(database: ServiceDatabase, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Rows as a command made them; intake's requests as they were before any event."""
    async with connected(database) as connection:
        for row in rows:
            if table == "walk_request":
                row = row | {"state": "received", "walk_id": None, "team_id": None, "officer_id": None}
                row["followed_up_at"] = None
            names = ", ".join(row)
            places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
            await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *row.values())  # noqa: S608  # names of columns


async def apply(
    told: Told, stack: Stack, service: str, database: ServiceDatabase, records: Sequence[Record]
) -> tuple[list[list[tuple[Any, ...]]], set[str]]:
    """Let a service take the records in batches; what stands at the end, and why anything was held on the way."""
    clock = Clock()
    inbox = Inbox(
        database.bus,
        subscriptions_of(service, stack),
        clock,
        BusMetrics(CollectorRegistry()),
        POLICIES.forces,
    )
    if service == "partners":
        async with database.bus.transaction(POLICIES.forces) as tx:
            await partners_handlers.keep_register(tx, POLICIES)
    for table in GIVEN.get(service, ()):
        await put_rows(database, table, told.rows[(service, table)])
    held: set[str] = set()
    late = False
    for start in range(0, len(records), 7):
        if not late and start >= len(records) // 2:
            late = True
            for table in LATE.get(service, ()):
                await put_rows(database, table, told.rows[(service, table)])
        await inbox.take(records[start : start + 7])
        held |= set(await inbox.state())
    for _ in range(10):
        clock.now += timedelta(minutes=2)
        await inbox.sweep()
    async with connected(database) as connection:
        assert await connection.fetch("SELECT why, reason FROM held") == []
        found = [sorted((tuple(row) for row in await connection.fetch(sql)), key=repr) for sql in STATES[service]]
    return found, held


@pytest.mark.parametrize("service", SERVICES)
async def test_any_order_across_keys_ends_the_same(
    told: Told, stack: Stack, service: str, database: ServiceDatabaseMaker
) -> None:
    """In the order of events, and in six shuffled ones with every child before its parent among them: one state."""
    subscribed = subscriptions_of(service, stack)
    types = {event.type().encode() for event in subscribed.events}
    mine = [
        record for records in told.records.values() for record in records if dict(record.headers)["ce_type"] in types
    ]
    assert len(mine) > 10
    in_order, _ = await apply(told, stack, service, await database(service), mine)
    assert all(in_order), "a state that is empty proves nothing"
    held: set[str] = set()
    for seed in range(6):
        found, why = await apply(told, stack, service, await database(service), shuffled(mine, seed))
        held |= why
        assert found == in_order, f"order {seed}"
    assert held == {"awaiting"}, "no child came before its parent, so nothing was proved"
    assert isinstance(next(iter(told.rows.values()))[0]["id"], UUID)
