"""Partners without its processes: what comes in, what stands in its tables, what would go out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from uuid6 import uuid7

from services.partners import handlers
from services.partners.domain import Command
from services.partners.settings import Settings
from services.partners.subscribers import subscriptions
from services.partners.timers import timers
from shared.bus.inbox import Inbox, Record
from shared.bus.metrics import BusMetrics
from shared.contracts.areas import AreaPublished
from shared.contracts.concerns import ConcernRaised
from shared.contracts.envelope import Envelope, Event
from shared.contracts.kinds import Point, Reason
from shared.policies import Policies
from shared.timers import TimerLoop
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker
from tests.servers.local_programs import IdentityServer

FORCE = "avon-and-somerset"
MET = "metropolitan"
FORCES = Path(__file__).parents[2] / "deploy" / "forces"
POLICIES = Policies.read(FORCES)
START = datetime(2026, 11, 23, 10, tzinfo=UTC)


@dataclass
class Partners:
    """One database of the service, its inbox and its timers, under a clock of its own."""

    database: ServiceDatabase
    admin: asyncpg.Connection[asyncpg.Record]
    now: datetime = START
    sequences: Counter[UUID] = field(default_factory=Counter)
    offset: int = 0

    def __post_init__(self) -> None:
        metrics = BusMetrics(CollectorRegistry())
        self.inbox = Inbox(self.database.bus, subscriptions(POLICIES), self.clock, metrics, POLICIES.forces)
        self.timers = TimerLoop(self.database.bus, timers(), self.clock, POLICIES.forces)

    def clock(self) -> datetime:
        return self.now

    def record(self, event: Event, force: str = FORCE) -> Record:
        """The event as it stands on the bus; the same record again is a redelivery."""
        self.sequences[event.key] += 1
        self.offset += 1
        envelope = Envelope(
            UUID(int=uuid7().int),
            "/assignment",
            event.type(),
            self.now,
            str(event.key),
            "",
            force,
            self.sequences[event.key],
        )
        return Record(
            event.topic,
            0,
            self.offset,
            str(event.key).encode(),
            event.model_dump_json().encode(),
            tuple(envelope.headers()),
        )

    async def take(self, *events: Event, force: str = FORCE) -> list[Record]:
        records = [self.record(event, force) for event in events]
        await self.inbox.take(records)
        return records

    async def answer(self, *commands: Command) -> None:
        async with self.database.web.transaction([FORCE]) as tx:
            await handlers.answer(tx, commands, self.now, policies=POLICIES, actor="somebody")

    async def rows(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        return await self.admin.fetch(sql, *arguments)

    async def one(self, sql: str, *arguments: Any) -> Any:
        return await self.admin.fetchval(sql, *arguments)

    async def published(self, topic: str = "%") -> list[tuple[str, dict[str, Any]]]:
        """(event name, data) in the order of the outbox."""
        rows = await self.rows("SELECT type, data FROM outbox_log WHERE topic LIKE $1 ORDER BY position", topic)
        return [(row["type"].split(".")[-2], json.loads(row["data"])) for row in rows]


@asynccontextmanager
async def partners_service(database: ServiceDatabaseMaker) -> AsyncIterator[Partners]:
    """With its register taken over and one area published."""
    async with partners_on(await database("partners")) as service:
        yield service


@asynccontextmanager
async def partners_on(found: ServiceDatabase) -> AsyncIterator[Partners]:
    """The same on a database that is there, its pools open."""
    admin = await asyncpg.connect(found.admin_url)
    try:
        service = Partners(found, admin)
        async with found.bus.transaction(POLICIES.forces) as tx:
            await handlers.keep_register(tx, POLICIES)
        await service.take(an_area())
        yield service
    finally:
        await admin.close()


def settings_of(database: ServiceDatabase, identity: IdentityServer | None = None, **given: Any) -> Settings:
    """Partners' settings in the web role alone; nothing of it needs a broker."""
    return Settings(
        **{
            "roles": ("web",),
            "database_web_url": database.web_url,
            "database_bus_url": database.bus_url,
            "kafka_bootstrap": "localhost:1",
            "forces_dir": FORCES,
            "session_secret": SecretStr("a secret of at least thirty-two characters"),
            "oidc_issuer": identity.issuer if identity else "http://localhost:1",
            "oidc_client_id": identity.client_id if identity else "walkandtalk",
            "oidc_client_secret": SecretStr(identity.client_secret if identity else "none"),
            **given,
        }
    )


def an_area(area_id: str = "bs1", name: str = "Bristol city centre") -> AreaPublished:
    return AreaPublished(
        area_id=area_id, area_name=name, team_id=area_id, team_name=f"{name} team", boundary_version="1"
    )


def a_concern(area_id: str = "bs1", category: Reason = Reason.BADLY_LIT, **given: Any) -> ConcernRaised:
    return ConcernRaised(
        **{
            "concern_id": uuid4(),
            "area_id": area_id,
            "team_id": area_id,
            "category": category,
            "place": Point(latitude=51.45, longitude=-2.59),
            "words": "No lights under the bridge",
            "raised_on": date(2026, 11, 20),
            **given,
        }
    )


async def reference_of(partners: Partners, concern_id: UUID, partner_id: str = "bristol-city-council") -> UUID:
    """The reference of the referral of a concern to a partner."""
    found: UUID = await partners.one(
        "SELECT reference FROM referral WHERE concern_id = $1 AND partner_id = $2", concern_id, partner_id
    )
    return found
