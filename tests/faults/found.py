"""What stands when all is quiet: rows of four databases, records of all topics, messages, the audit chains."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx

from shared import audit
from shared.contracts.catalogue import SERVICES
from shared.database import TRANSIENT, Database
from shared.embedded.program import ROOT
from shared.embedded.stack import MAILBOX, Stack
from shared.policies import Policies
from tests.faults.load import Accepted
from tests.faults.records import Seen, Spoiled, everything_on

BUS: Final = {
    "outbox_log": "SELECT position, topic, key, sequence, id, type, data, headers IS NOT NULL AS raw FROM outbox_log",
    "outbox_key": "SELECT topic, key, sequence FROM outbox_key",
    "outbox_pending": "SELECT position FROM outbox_pending",
    "inbox": "SELECT id FROM inbox",
    "held": "SELECT why, topic, key, id, reason FROM held",
    "overdue_timer": "SELECT kind, subject FROM timer WHERE due_at <= now()",
    "overdue_sending": "SELECT id, channel FROM sending WHERE state = 'due' AND due_at <= now()",
    "failed_sending": "SELECT id, fault FROM sending WHERE state = 'failed'",
    "unsealed": "SELECT id FROM audit_unsealed",
}
"""In every database alike."""
OWN: Final = {
    "intake": {
        "walk_request": "SELECT id, state, walk_id, followed_up_at FROM walk_request",
        "walk_concern": "SELECT concern_id, walk_id FROM walk_concern",
        "waiting_baseline": "SELECT id FROM waiting_baseline",
        "wanted_contact": "SELECT id FROM wanted_contact",
        "message": "SELECT m.id, m.request_id, m.kind, m.refused, s.state FROM message m"
        " LEFT JOIN sending s ON s.id = m.id",
    },
    "assignment": {
        "request": "SELECT id, walk_id, withdrawn_at FROM request",
        "walk": "SELECT id, state, officer_id, cancel_reason FROM walk",
        "area": "SELECT id, force_id FROM area",
        "concern": "SELECT id, walk_id FROM concern",
        "referral": "SELECT id, concern_id, partner_id, state FROM referral",
        "follow_up": "SELECT id, kind, request_id, contact_id, completed_at FROM follow_up",
    },
    "partners": {
        "concern": "SELECT id, state FROM concern",
        "referral": "SELECT id, reference, concern_id, partner_id, state FROM referral",
        "referral_change": "SELECT referral_id, status FROM referral_change",
        "delivery": "SELECT d.id, d.referral_id, d.kind, s.state FROM delivery d JOIN sending s ON s.id = d.id",
        "area": "SELECT id, force_id FROM area",
    },
    "feedback": {
        "invitation": "SELECT id, walk_id, survey FROM invitation",
        "answers": "SELECT survey, pair_id FROM answers",
        "flag": "SELECT id FROM flag",
        "concern": "SELECT id, withdrawn, resolved_on FROM concern",
        "referral": "SELECT id, concern_id, partner_id, state FROM referral",
        "follow_up": "SELECT id FROM follow_up",
        "area": "SELECT area_id AS id, force_id FROM area",
    },
}
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Rows = list[dict[str, Any]]


@dataclass
class Found:
    """All of it, as plain values: invariants are functions of this alone."""

    rows: dict[tuple[str, str], Rows] = field(default_factory=dict)
    """By service and table."""
    records: list[Seen] = field(default_factory=list)
    accepted: Accepted = field(default_factory=Accepted)
    spoiled: list[Spoiled] = field(default_factory=list)
    audit: dict[str, list[str]] = field(default_factory=dict)
    """What `walkandtalk audit verify` says of each service."""
    arrived: Counter[UUID] = field(default_factory=Counter)
    """Messages in the mailbox, by their id."""

    def of(self, service: str, table: str) -> Rows:
        return self.rows.get((service, table), [])

    def ids(self, service: str, table: str, column: str = "id", **where: Any) -> Counter[Any]:
        """How often each value of a column stands in rows that are like this."""
        return Counter(
            row[column] for row in self.of(service, table) if all(row[name] == value for name, value in where.items())
        )


async def look(stack: Stack, bootstrap: str, accepted: Accepted, spoiled: Sequence[Spoiled]) -> Found:
    """Everything, once all is quiet."""
    found = Found(accepted=accepted, spoiled=list(spoiled))
    for service in SERVICES:
        connection = await connect(stack, service)
        try:
            for table, sql in {**BUS, **OWN[service]}.items():
                found.rows[(service, table)] = [dict(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()
    found.records = await everything_on(bootstrap)
    forces = Policies.read(ROOT / "deploy" / "forces").forces
    for service in SERVICES:
        database = Database(stack.database_url(service, "bus"))
        await database.open()
        try:
            heads = stack.folder / "data" / f"{service}.audit-heads"
            found.audit[service] = await audit.verify(database, forces, heads)
        finally:
            await database.close()
    async with httpx.AsyncClient(base_url=stack.urls[MAILBOX], timeout=60) as client:
        for message in (await client.get("/api/messages")).json():
            for id_ in _ID.findall(message["message_id"]):
                found.arrived[UUID(id_)] += 1
    return found


async def connect(stack: Stack, service: str) -> asyncpg.Connection[asyncpg.Record]:
    """The server's administrator in a service's database, past every proxy."""
    return await asyncpg.connect(stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{service}", timeout=10)


class Effects:
    """Which events have not taken effect yet where they are taken: for measuring how long recovery takes."""

    def __init__(self, stack: Stack, takes: dict[str, set[str]]) -> None:
        """`takes`: by service, the types of event it subscribes to."""
        self._stack = stack
        self._takes = takes
        self._read = dict.fromkeys(SERVICES, 0)
        self._kept: dict[str, asyncpg.Connection[asyncpg.Record]] = {}
        self._open: dict[str, set[UUID]] = {service: set() for service in SERVICES}

    async def note(self) -> None:
        """All that was accepted before now."""
        for service in SERVICES:
            rows = await self._fetch(
                service,
                "SELECT position, id, type FROM outbox_log WHERE position > $1 AND headers IS NULL ORDER BY position",
                self._read[service],
            )
            for row in rows:
                self._read[service] = row["position"]
                for taker, types in self._takes.items():
                    if row["type"] in types:
                        self._open[taker].add(row["id"])

    async def left(self) -> int:
        """How many effects of what was noted are missing still."""
        for service, open_ in self._open.items():
            if open_:
                rows = await self._fetch(
                    service,
                    "SELECT id FROM inbox WHERE id = ANY ($1)"
                    " AND NOT EXISTS (SELECT FROM held WHERE held.id = inbox.id AND why = 'awaiting')",
                    list(open_),
                )
                open_ -= {row["id"] for row in rows}
        return sum(map(len, self._open.values()))

    async def quiet(self) -> list[str]:
        """What is still under way anywhere; empty when nothing is."""
        await self.note()
        found = [f"{await self.left()} effects"] if await self.left() else []
        for service in SERVICES:
            for table in ("outbox_pending", "overdue_timer", "overdue_sending", "unsealed"):
                if rows := await self._fetch(service, BUS[table]):
                    found.append(f"{len(rows)} of {table} in {service}")
            if rows := await self._fetch(service, "SELECT id FROM held WHERE why = 'awaiting'"):
                found.append(f"{len(rows)} awaiting in {service}")
        return found

    async def close(self) -> None:
        """Let go of every connection."""
        while self._kept:
            _, connection = self._kept.popitem()
            with suppress(*TRANSIENT):
                await connection.close(timeout=2)

    async def _fetch(self, service: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows as soon as the server answers."""
        while True:
            with suppress(*TRANSIENT):
                if service not in self._kept or self._kept[service].is_closed():
                    self._kept[service] = await connect(self._stack, service)
                return list(await self._kept[service].fetch(sql, *arguments, timeout=10))
            if connection := self._kept.pop(service, None):
                connection.terminate()
            await asyncio.sleep(0.1)
