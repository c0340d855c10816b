"""Intake without its processes: its web application, what comes in from the bus, what would go out."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from uuid6 import uuid7

from services.intake.app import build
from services.intake.channels.ways import ways_out
from services.intake.dependencies import Dependencies
from services.intake.settings import Settings
from services.intake.subscribers import subscriptions
from services.intake.timers import timers
from shared.bus.inbox import Inbox, Record
from shared.bus.metrics import BusMetrics
from shared.contracts.envelope import Envelope, Event
from shared.contracts.kinds import OfficerKind
from shared.contracts.walks import RoutedBy, WalkArranged, WalkCompleted, WalkRouted, WalkTaken
from shared.sendings import Sender
from shared.timers import TimerLoop
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker

ROOT = Path(__file__).parents[2]
FORCE = "avon-and-somerset"
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = base64.b64encode(bytes(range(32))).decode()


def settings_of(database: ServiceDatabase, **given: Any) -> Settings:
    """Settings of a web role under this database; tests run the bus's parts themselves."""
    return Settings(
        **{
            "roles": ("web",),
            "port": 8001,
            "database_web_url": database.web_url,
            "database_bus_url": database.bus_url,
            "kafka_bootstrap": "localhost:1",
            "forces_dir": ROOT / "deploy" / "forces",
            "data_dir": ROOT / ".walkandtalk" / "data",
            "session_secret": SecretStr("a secret of at least thirty-two characters"),
            "oidc_issuer": "http://localhost:1",
            "oidc_client_id": "walkandtalk",
            "oidc_client_secret": SecretStr("none"),
            "master_key": SecretStr(KEY),
            "link_key": SecretStr(KEY),
            # Its clock stands still while a form is filled in.
            "form_least_seconds": 0.0,
            **given,
        }
    )


@dataclass
class Intake:
    """One database of the service, its application, inbox, timers and sender, under a clock of its own."""

    database: ServiceDatabase
    admin: asyncpg.Connection[asyncpg.Record]
    settings: Settings
    now: datetime = START
    sequences: Counter[UUID] = field(default_factory=Counter)
    offset: int = 0
    app: FastAPI = field(init=False)
    deps: Dependencies = field(init=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Intake]:
        self.app = build(self.settings, lambda: self.now)
        async with self.app.router.lifespan_context(self.app):
            self.deps = cast(Dependencies, self.app.state.dependencies)
            bus, forces, clock = self.database.bus, self.deps.policies.forces, self.deps.clock
            metrics = BusMetrics(CollectorRegistry())
            self.inbox = Inbox(bus, subscriptions(self.deps.keeping), clock, metrics, forces)
            self.timers = TimerLoop(bus, timers(self.deps.keeping), clock, forces)
            self.sender = Sender(bus, ways_out(self.deps), clock, forces)
            yield self

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A visitor, with a cookie jar of her own."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://localhost:8001", headers=headers
        )

    async def ask(self, key: str | None = None, **changed: Any) -> dict[str, Any]:
        """Ask for a walk by the API; the answer."""
        async with self.client() as client:
            answer = await client.post(
                "/api/v1/walk-requests", json=a_body(**changed), headers={"Idempotency-Key": key or uuid4().hex}
            )
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    def record(self, event: Event, force: str = FORCE) -> Record:
        """The event as it stands on the bus; the same record again is a redelivery."""
        self.sequences[event.key] += 1
        self.offset += 1
        envelope = Envelope(
            UUID(int=uuid7().int),
            "/elsewhere",
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
        """Let events arrive as one batch."""
        records = [self.record(event, force) for event in events]
        await self.inbox.take(records)
        return records

    async def rows(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        return await self.admin.fetch(sql, *arguments)

    async def one(self, sql: str, *arguments: Any) -> Any:
        return await self.admin.fetchval(sql, *arguments)

    async def published(self, name: str) -> list[dict[str, Any]]:
        """The data of every event of this name, in the order of the outbox."""
        rows = await self.rows("SELECT data FROM outbox_log WHERE type LIKE $1 ORDER BY position", f"%.{name}.v1")
        return [json.loads(row["data"]) for row in rows]

    async def messages(self) -> list[tuple[str, str]]:
        """(kind, what became of it) of every message, in the order they were made."""
        rows = await self.rows(
            "SELECT m.kind, coalesce(s.state, m.refused) AS state FROM message m"
            " LEFT JOIN sending s ON s.force_id = m.force_id AND s.id = m.id ORDER BY m.id"
        )
        return [(row["kind"], row["state"]) for row in rows]

    async def walk_of(self, request_id: str, concerns: tuple[UUID, ...] = ()) -> UUID:
        """A walk of this request, routed, taken, arranged and held; its id."""
        walk = {"walk_id": uuid4(), "request_ids": (UUID(request_id),)}
        held = {"area_id": "bs1", "team_id": "bs1"}
        await self.take(
            WalkRouted(**walk, **held, routed_by=RoutedBy.COVERS, boundary_version="1"),
            WalkTaken(**walk, officer_id="officer-avon-1", team_id="bs1"),
            WalkArranged(
                **walk, officer_id="officer-avon-1", team_id="bs1", starts_at=self.now, meeting_place="The library"
            ),
            WalkCompleted(
                **walk,
                **held,
                officer_id="officer-avon-1",
                officer_kind=OfficerKind.PCSO,
                started_at=self.now,
                ended_at=self.now,
                concern_ids=concerns,
            ),
        )
        return walk["walk_id"]  # type: ignore[return-value] # a dict of two types


@asynccontextmanager
async def intake_service(database: ServiceDatabaseMaker, **given: Any) -> AsyncIterator[Intake]:
    """The service on a fresh database."""
    found = await database("intake")
    admin = await asyncpg.connect(found.admin_url)
    try:
        async with Intake(found, admin, settings_of(found, **given)).running() as service:
            yield service
    finally:
        await admin.close()


def a_body(**changed: Any) -> dict[str, Any]:
    """A whole request; `contact` given is laid over the usual one."""
    contact = {"channels": ["email"], "email": "ada@example.com", "may_say_police": True, **changed.pop("contact", {})}
    return {
        "force_id": FORCE,
        "name": "Ada",
        "over_18": True,
        "consent": True,
        "contact": contact,
        "place": {"postcode": "BS1 4DJ"},
        "availability": {"days": ["monday"], "parts": ["evening"]},
        **changed,
    }
