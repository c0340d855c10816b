"""Ours: the real relay and the real outbox of a service, on a backlog that becomes visible with one commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from shared.bus import outbox
from shared.bus.metrics import BusMetrics
from shared.bus.relay import Relay
from shared.database import Database
from tests.bench.consumption.loads import FORCE
from tests.bench.figures import WrongEffect
from tests.bench.ground import POLICIES, Clone, Ground, Stopwatch
from tests.bench.relay.brokers import Broker
from tests.bench.relay.loads import Load

_APPENDED_AT_ONCE = 1000


class _Watched(BusMetrics):
    stopwatch: Stopwatch

    def published(self, many: int) -> None:
        super().published(many)
        self.stopwatch.took_effect(many)


async def publish(ground: Ground, broker: Broker, load: Load, stopwatch: Stopwatch) -> None:
    """Publish all of a load; done when its last event is acknowledged and no longer pending, the log kept."""
    async with ground.clone() as clone, relaying(clone, broker, stopwatch):
        database = Database(clone.bus_url)
        await database.open()
        try:
            async with database.transaction([FORCE]) as tx:
                for start in range(0, len(load.facts), _APPENDED_AT_ONCE):
                    await outbox.append(tx, load.facts[start : start + _APPENDED_AT_ONCE])
                stopwatch.arrived()
            await stopwatch.done.wait()
        finally:
            await database.close()
        left = await clone.looked_up("SELECT (SELECT count(*) FROM outbox_pending), (SELECT count(*) FROM outbox_log)")
        if left != (0, len(load.facts)):
            raise WrongEffect(f"ours left {left[0]} pending and {left[1]} in the log")


@asynccontextmanager
async def relaying(clone: Clone, broker: Broker, stopwatch: Stopwatch) -> AsyncIterator[None]:
    """The relay of a service, leading and idle."""
    metrics = _Watched(CollectorRegistry())
    metrics.stopwatch = stopwatch
    relay = Relay(
        database_url=clone.bus_url,
        forces=(*POLICIES.forces, "unknown"),
        bootstrap=broker.bootstrap,
        source="/feedback",
        metrics=metrics,
        idempotent=broker.idempotent,
    )
    stopping = asyncio.Event()
    running = asyncio.create_task(relay.run(stopping))
    try:
        while not relay.ready:  # noqa: ASYNC110  # a relay says that it is ready in a flag, as readiness asks for it
            await asyncio.sleep(0.01)
        yield
    finally:
        stopping.set()
        await running
