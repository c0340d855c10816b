"""How the relay hands flights to a publisher: the next is made ready meanwhile, and none is published for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from shared.bus import outbox, relay
from shared.bus.metrics import BusMetrics
from shared.bus.outbox import Fact
from shared.bus.publishers import Leave
from shared.bus.relay import Relay
from shared.contracts.envelope import Event
from shared.database import Row
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker

FORCE = "avon-and-somerset"


class Told(Event):
    name: ClassVar[str] = "told"
    topic: ClassVar[str] = "told.v1"
    on: UUID
    number: int

    @property
    def key(self) -> UUID:
        return self.on


class Publisher:
    """Takes what comes; positions from `refuses` on cannot be made ready, and a flight waits while `wind` is down."""

    def __init__(self) -> None:
        self.prepared: list[int] = []
        self.published: list[int] = []
        self.refuses: int | None = None
        self.refused = asyncio.Event()
        self.wind = asyncio.Event()
        self.wind.set()
        self.something = asyncio.Event()

    async def start(self) -> str:
        return "one bus"

    async def bus_id(self) -> str:
        return "one bus"

    async def prepare(self, source: str, rows: Sequence[Row]) -> Leave:
        positions = [row["position"] for row in rows]
        if self.refuses is not None and positions[-1] >= self.refuses:
            self.refused.set()
            raise KafkaError("there is no such topic")
        self.prepared += positions
        self.something.set()

        async def leave() -> None:
            await self.wind.wait()
            self.published.extend(positions)
            self.something.set()

        return leave

    async def stop(self) -> None:
        """Nothing to let go of."""

    async def until(self, seen: list[int], many: int) -> None:
        async with asyncio.timeout(20):
            while len(seen) < many:
                self.something.clear()
                await self.something.wait()


@pytest.fixture
async def partners(database: ServiceDatabaseMaker, monkeypatch: pytest.MonkeyPatch) -> ServiceDatabase:
    monkeypatch.setattr(relay, "FLIGHT", 10)
    return await database("partners")


async def _append(database: ServiceDatabase, many: int) -> None:
    key = uuid4()
    async with database.web.transaction([FORCE]) as tx:
        await outbox.append(tx, [Fact(Told(on=key, number=n), FORCE, datetime.now(UTC)) for n in range(many)])


@asynccontextmanager
async def _running(database: ServiceDatabase, publisher: Publisher) -> AsyncIterator[Relay]:
    stopping = asyncio.Event()
    one = Relay(
        database_url=database.bus_url,
        forces=(FORCE,),
        bootstrap="",
        source="/partners",
        metrics=BusMetrics(CollectorRegistry()),
        idempotent=False,
        publisher=lambda: publisher,
    )
    running = asyncio.create_task(one.run(stopping))
    try:
        yield one
    finally:
        publisher.wind.set()
        stopping.set()
        await running


async def _pending(database: ServiceDatabase) -> list[int]:
    connection = await asyncpg.connect(database.admin_url)
    try:
        return [row["position"] for row in await connection.fetch("SELECT position FROM outbox_pending ORDER BY 1")]
    finally:
        await connection.close()


async def test_the_next_flight_is_made_ready_in_the_meantime_and_leaves_when_the_one_before_has_arrived(
    partners: ServiceDatabase,
) -> None:
    """While ten events are in the air the next ten are ready and nothing of them has left; then all arrive in order."""
    publisher = Publisher()
    publisher.wind.clear()
    await _append(partners, 30)
    async with _running(partners, publisher):
        await publisher.until(publisher.prepared, 20)
        assert publisher.published == []
        assert len(await _pending(partners)) == 30
        publisher.wind.set()
        await publisher.until(publisher.published, 30)
    assert publisher.published == sorted(publisher.published)
    assert publisher.prepared == publisher.published
    assert await _pending(partners) == []


async def test_what_was_acknowledged_is_not_published_again_because_the_next_cannot_be_made_ready(
    partners: ServiceDatabase,
) -> None:
    """A flight to a topic that does not exist stays pending; the one before it was published once and is forgotten."""
    publisher = Publisher()
    await _append(partners, 20)
    waiting = await _pending(partners)
    publisher.refuses = waiting[10]
    async with _running(partners, publisher):
        for _ in range(3):
            publisher.refused.clear()
            await publisher.refused.wait()
        assert publisher.published == waiting[:10]
        assert await _pending(partners) == waiting[10:]
        publisher.refuses = None
        await publisher.until(publisher.published, 20)
    assert publisher.published == waiting


async def test_a_relay_told_to_stop_has_forgotten_what_it_published(partners: ServiceDatabase) -> None:
    """Nothing is published twice because a service was restarted in good order, in the middle of a backlog or not."""
    publisher = Publisher()
    publisher.wind.clear()
    await _append(partners, 30)
    waiting = await _pending(partners)
    async with _running(partners, publisher):
        await publisher.until(publisher.prepared, 20)
    assert await _pending(partners) == waiting[len(publisher.published) :]
