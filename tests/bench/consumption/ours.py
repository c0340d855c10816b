"""Ours: the bus, the inbox and the real subscriptions of a service, as its process runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from services.feedback.subscribers import subscriptions
from shared.bus.broker import Bus
from shared.bus.inbox import Inbox, Read, Record
from shared.bus.metrics import BusMetrics
from shared.database import Database
from tests.bench.ground import POLICIES, Clone, Ground, Stopwatch


class _Watched(Inbox):
    stopwatch: Stopwatch

    def read(self, records: Iterable[Record]) -> Read:
        self.stopwatch.arrived()
        return super().read(records)

    async def take(self, records: Sequence[Record], read: Read | None = None) -> None:
        await super().take(records, read)
        self.stopwatch.took_effect(len(records))


async def consume(ground: Ground, clone: Clone, topic: str, stopwatch: Stopwatch) -> None:
    """Consume until the stopwatch has seen enough. The real subscriptions bring their topics; the others are empty."""
    database = Database(clone.bus_url)
    await database.open()
    metrics = BusMetrics(CollectorRegistry())
    subscribe = subscriptions(POLICIES)
    inbox = _Watched(database, subscribe, lambda: datetime.now(UTC), metrics, POLICIES.forces)
    inbox.stopwatch = stopwatch
    bus = Bus(bootstrap=ground.bootstrap, subscriptions=subscribe, inbox=inbox, metrics=metrics, group=ground.group())
    stopping = asyncio.Event()
    running = asyncio.create_task(bus.run(stopping))
    try:
        await stopwatch.done.wait()
    finally:
        stopping.set()
        await running
        await database.close()
