"""From outbox to bus: claim in order, publish, forget; the rest is bookkeeping.

One relay a database publishes, the session that holds an advisory lock. It wakes when something is appended, and looks
by itself now and then. A flight that was refused is published again from its first row, so no event overtakes an
earlier one of its key, and the inboxes make the repetition harmless.

A broker that comes back empty tells nobody, but it has another cluster id. The relay keeps the id of the bus its log
was published to, beside the log; on another bus the retained log is published again from its beginning.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

import asyncpg
from aiokafka.errors import KafkaError

from shared.bus.metrics import BusMetrics
from shared.bus.outbox import QUERIES
from shared.bus.publishers import KafkaPublisher, OneConnectionPublisher, Publisher
from shared.database import TRANSIENT, Row, permit
from shared.observability import log

FLIGHT: Final = 1000
"""Events fetched and published together."""
_SLOW_POLL: Final = 1.0
_SETTLE: Final = 2.0
"""Seconds before the log goes to another bus: consumers notice by their heartbeat (1 s) and begin anew. A record
published sooner could be read from the offset a consumer had reached on the old bus."""
_STATEMENTS: Final = {
    "jit": "off",
    # Planned once; and what is pending is read in the order of its index. A sort would look at the whole backlog each
    # time, and is what a table nobody has analysed yet gets otherwise.
    "plan_cache_mode": "force_generic_plan",
    "enable_sort": "off",
    # Forgetting that is lost in a crash of the server means publishing again, which the inboxes make harmless.
    "synchronous_commit": "off",
}
_FAULTS: Final[tuple[type[Exception], ...]] = (*TRANSIENT, KafkaError)
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


class _Flight(NamedTuple):
    """Events that are published together, ready to leave."""

    positions: list[int]
    leave: Callable[[], Coroutine[Any, Any, None]]


class AnotherBus(Exception):
    """This is not the bus the log was published to: the broker lost its memory, or was replaced."""


class Relay:
    """Publishes one database's outbox.

    :param source: CloudEvents source of the service, `/intake`.
    :param idempotent: False for the embedded broker, which has no idempotent producer.
    :param publisher: what makes a publisher, where it is another than the two of ours.
    """

    def __init__(
        self,
        *,
        database_url: str,
        forces: Sequence[str],
        bootstrap: str,
        source: str,
        metrics: BusMetrics,
        idempotent: bool,
        publisher: Callable[[], Publisher] | None = None,
    ) -> None:
        self._database_url = database_url
        self._forces = permit(forces)
        self._source = source
        self._metrics = metrics
        self._publisher = publisher or partial(KafkaPublisher if idempotent else OneConnectionPublisher, bootstrap)
        self._wake = asyncio.Event()
        self._log = log(__name__)
        self.ready = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until told to stop; every fault is waited out."""
        pause = 0.1
        while not stopping.is_set():
            began = asyncio.get_running_loop().time()
            try:
                await self._session(stopping)
            except AnotherBus:
                pause = 0.1
            except _FAULTS as fault:
                self._metrics.relay_fault()
                self._log.warning("relay interrupted", fault=type(fault).__name__)
                if asyncio.get_running_loop().time() - began > 10:
                    pause = 0.1
                await _wait(stopping, pause * random.uniform(0.5, 1.0))
                pause = min(2.0, pause * 2)
            finally:
                self.ready = False
                self._metrics.leading.set(0)

    async def _session(self, stopping: asyncio.Event) -> None:
        connection = await self._connect()
        publisher: Publisher | None = None
        stopped: asyncio.Task[bool] | None = None
        try:
            while not await connection.fetchval(QUERIES.lead.sql):
                if await _wait(stopping, _SLOW_POLL):
                    return
            publisher = self._publisher()
            bus_id = await publisher.start()
            await self._recognise(connection, bus_id, stopping)
            await connection.add_listener("outbox", lambda *_: self._wake.set())
            connection.add_termination_listener(lambda *_: self._wake.set())
            stopped = asyncio.create_task(stopping.wait())
            stopped.add_done_callback(lambda _: self._wake.set())
            self._metrics.leading.set(1)
            self.ready = True
            await self._publish_all(connection, publisher, bus_id, stopping)
        finally:
            if stopped is not None:
                stopped.cancel()
            if publisher is not None:
                await publisher.stop()
            with contextlib.suppress(Exception):
                await connection.close(timeout=5)

    async def _connect(self) -> asyncpg.Connection[Row]:
        connection: asyncpg.Connection[Row] = await asyncpg.connect(
            self._database_url,
            timeout=10,
            command_timeout=60,
            server_settings={
                "application_name": "walkandtalk relay",
                "walkandtalk.forces": self._forces,
                "timezone": "UTC",
                **_STATEMENTS,
            },
        )
        return connection

    async def _recognise(self, connection: asyncpg.Connection[Row], bus_id: str, stopping: asyncio.Event) -> None:
        """Know the bus by its id. On another than the log went to, all that is retained is pending again."""
        known = await connection.fetchval(QUERIES.bus_id.sql)
        if known == bus_id:
            return
        # Before the new id is kept: whoever finds it kept publishes at once.
        if known is not None and await _wait(stopping, _SETTLE):
            return
        async with connection.transaction():
            await connection.execute(QUERIES.keep_bus_id.sql, bus_id)
            await connection.execute(QUERIES.republish.sql, _BEGINNING, None)
        if known is not None:
            self._metrics.republished.inc()
            self._log.warning("another bus; the retained log is published again")

    async def _publish_all(
        self, connection: asyncpg.Connection[Row], publisher: Publisher, bus_id: str, stopping: asyncio.Event
    ) -> None:
        clock = asyncio.get_running_loop().time
        checked = clock()
        ready: _Flight | None = None
        # Acknowledged, not forgotten yet.
        published: list[int] = []
        while not stopping.is_set():
            if clock() - checked >= _SLOW_POLL:
                checked = clock()
                if await publisher.bus_id() != bus_id:
                    raise AnotherBus
            if ready is None:
                ready = await self._next(connection, publisher, [])
            if ready is not None:
                following = await self._fly(connection, publisher, ready, published)
                published, ready = ready.positions, following
            if ready is None:
                await self._forget(connection, published)
                published = []
                await self._woken(connection, stopping)
        await self._forget(connection, published)

    async def _fly(
        self, connection: asyncpg.Connection[Row], publisher: Publisher, ready: _Flight, published: Sequence[int]
    ) -> _Flight | None:
        """Publish a flight. While it is in the air the one before is forgotten, and the next one made ready."""
        flight = asyncio.create_task(ready.leave())
        try:
            await self._forget(connection, published)
            following = await self._next(connection, publisher, ready.positions)
        except _FAULTS:
            # Or this one would be published again each time the next cannot be made ready.
            await flight
            await self._forget(connection, ready.positions)
            raise
        finally:
            await asyncio.wait([flight])
        flight.result()
        return following

    async def _next(
        self, connection: asyncpg.Connection[Row], publisher: Publisher, in_the_air: Sequence[int]
    ) -> _Flight | None:
        # Before the look: whatever commits after it wakes the relay again.
        self._wake.clear()
        rows = await connection.fetch(QUERIES.next_pending.sql, in_the_air, FLIGHT)
        if not rows:
            return None
        return _Flight([row["position"] for row in rows], await publisher.prepare(self._source, rows))

    async def _forget(self, connection: asyncpg.Connection[Row], positions: Sequence[int]) -> None:
        if positions:
            await connection.execute(QUERIES.forget_pending.sql, positions)
            self._metrics.published(len(positions))

    async def _woken(self, connection: asyncpg.Connection[Row], stopping: asyncio.Event) -> None:
        if not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SLOW_POLL):
                    await self._wake.wait()
        if connection.is_closed():
            raise ConnectionError("the relay's database connection closed")


async def _wait(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait, or less when told to stop; whether that was so."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
    return stopping.is_set()
