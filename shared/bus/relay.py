"""From outbox to bus: claim in order, publish, forget; the rest is bookkeeping.

One relay a database publishes, the session that holds an advisory lock. It wakes when something is appended, and looks
by itself now and then. Order per key is kept on any broker: a partition's records leave as whole batches, one after
the other, so a refused batch is never overtaken by a later record of its keys. On Apache Kafka the producer is
idempotent as well.

A broker that comes back empty tells nobody, but it has another cluster id. The relay keeps the id of the bus its log
was published to, beside the log; on another bus the retained log is published again from its beginning, which the
inboxes make harmless.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from shared.bus.metrics import BusMetrics
from shared.bus.outbox import QUERIES
from shared.contracts.envelope import TYPE_PREFIX, Envelope
from shared.database import TRANSIENT, Row, permit
from shared.observability import log

FLIGHT: Final = 1000
"""Events fetched and published together."""
_SLOW_POLL: Final = 1.0
_FAULTS: Final[tuple[type[Exception], ...]] = (*TRANSIENT, KafkaError)
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


class AnotherBus(Exception):
    """This is not the bus the log was published to: the broker lost its memory, or was replaced."""


class Relay:
    """Publishes one database's outbox.

    :param source: CloudEvents source of the service, `/intake`.
    :param idempotent: False for a broker without an idempotent producer; it is then asked before every flight whether
        it is still the same.
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
    ) -> None:
        self._database_url = database_url
        self._forces = permit(forces)
        self._bootstrap = bootstrap
        self._source = source
        self._metrics = metrics
        self._idempotent = idempotent
        self._partitioner = DefaultPartitioner()
        self._wake = asyncio.Event()
        self._bus_id = ""
        self._log = log(__name__)
        self.ready = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until told to stop; every fault is waited out."""
        pause = 0.1
        while not stopping.is_set():
            try:
                await self._session(stopping)
                pause = 0.1
            except AnotherBus:
                pause = 0.1
            except _FAULTS as fault:
                self._metrics.relay_fault()
                self._log.warning("relay interrupted", fault=type(fault).__name__)
                await _wait(stopping, pause * random.uniform(0.5, 1.0))
                pause = min(2.0, pause * 2)
            finally:
                self.ready = False
                self._metrics.leading.set(0)

    async def _connect(self) -> asyncpg.Connection[Row]:
        connection: asyncpg.Connection[Row] = await asyncpg.connect(
            self._database_url,
            timeout=10,
            command_timeout=60,
            server_settings={
                "application_name": "walkandtalk relay",
                "walkandtalk.forces": self._forces,
                "timezone": "UTC",
                "jit": "off",
            },
        )
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=str, decoder=json.loads
        )
        return connection

    async def _session(self, stopping: asyncio.Event) -> None:
        connection = await self._connect()
        producer: AIOKafkaProducer | None = None
        admin: AIOKafkaAdminClient | None = None
        try:
            while not await connection.fetchval(QUERIES.lead.sql):
                if await _wait(stopping, _SLOW_POLL):
                    return
            admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=10_000)
            await admin.start()
            await self._recognise(connection, admin)
            producer = self._producer()
            await producer.start()
            await connection.add_listener("outbox", lambda *_: self._wake.set())
            connection.add_termination_listener(lambda *_: self._wake.set())
            self._metrics.leading.set(1)
            self.ready = True
            await self._publish_all(connection, producer, admin, stopping)
        finally:
            if producer is not None:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(producer.stop(), 5)
            if admin is not None:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(admin.close(), 5)
            with contextlib.suppress(Exception):
                await connection.close(timeout=5)

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=self._idempotent,
            request_timeout_ms=10_000,
            max_batch_size=1_000_000,
            max_request_size=4_000_000,
            metadata_max_age_ms=60_000,
        )

    async def _publish_all(
        self,
        connection: asyncpg.Connection[Row],
        producer: AIOKafkaProducer,
        admin: AIOKafkaAdminClient,
        stopping: asyncio.Event,
    ) -> None:
        checked = asyncio.get_running_loop().time()
        rows: Sequence[Row] = await connection.fetch(QUERIES.next_pending.sql, [], FLIGHT)
        while not stopping.is_set():
            now = asyncio.get_running_loop().time()
            if now - checked >= _SLOW_POLL or (rows and not self._idempotent):
                # A broker that can forget is asked before every flight: what leaves after it forgot would
                # overtake what it forgot.
                if await _bus_id(admin) != self._bus_id:
                    raise AnotherBus
                checked = now
            if not rows:
                self._wake.clear()
                rows = await connection.fetch(QUERIES.next_pending.sql, [], FLIGHT)
                if not rows:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(_either(self._wake, stopping), _SLOW_POLL)
                    if connection.is_closed():
                        raise ConnectionError("the relay's database connection closed")
                    rows = await connection.fetch(QUERIES.next_pending.sql, [], FLIGHT)
                continue
            flight = asyncio.create_task(self._publish(producer, rows))
            try:
                # What is published next is fetched while this flight is in the air.
                following = await connection.fetch(
                    QUERIES.next_pending.sql, [row["position"] for row in rows], FLIGHT
                )
            finally:
                await asyncio.wait([flight])
            flight.result()
            await connection.execute(QUERIES.forget_pending.sql, [row["position"] for row in rows])
            self._metrics.published(len(rows))
            rows = following

    async def _publish(self, producer: AIOKafkaProducer, rows: Sequence[Row]) -> None:
        """Publish rows, in order per partition; raises when any was refused, and then all are published again."""
        by_partition: dict[tuple[str, int], list[Row]] = {}
        partitions: dict[str, list[int]] = {}
        for row in rows:
            topic = row["topic"]
            if topic not in partitions:
                found = await producer.partitions_for(topic)
                if not found:
                    raise KafkaError(f"topic {topic} does not exist")
                partitions[topic] = sorted(found)
            key = str(row["key"]).encode()
            partition = self._partitioner(key, partitions[topic], partitions[topic])
            by_partition.setdefault((topic, partition), []).append(row)
        ends = await asyncio.gather(
            *(self._publish_partition(producer, place, mine) for place, mine in by_partition.items()),
            return_exceptions=True,
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _publish_partition(
        self, producer: AIOKafkaProducer, place: tuple[str, int], rows: Sequence[Row]
    ) -> None:
        topic, partition = place
        start = 0
        while start < len(rows):
            batch = producer.create_batch()
            end = start
            while end < len(rows) and self._add(batch, rows[end]):
                end += 1
            if end == start:
                raise KafkaError("an event does not fit into a batch")
            batch.close()
            await (await producer.send_batch(batch, topic, partition=partition))
            start = end

    def _add(self, batch: Any, row: Row) -> bool:
        return (
            batch.append(
                timestamp=int(row["time"].timestamp() * 1000),
                key=str(row["key"]).encode(),
                value=row["data"],
                headers=self._headers(row),
            )
            is not None
        )

    def _headers(self, row: Row) -> list[tuple[str, bytes]]:
        if row["headers"] is not None:
            return [(name, base64.b64decode(value)) for name, value in row["headers"]]
        type_: str = row["type"]
        return Envelope(
            id=row["id"],
            source=self._source,
            type=type_,
            time=row["time"],
            subject=str(row["key"]),
            dataschema="urn:walkandtalk:schema:" + type_.removeprefix(TYPE_PREFIX),
            force_id=row["force_id"],
            sequence=row["sequence"],
            correlation_id=row["correlation_id"],
            causation_id=row["causation_id"],
            traceparent=row["traceparent"],
        ).headers()

    async def _recognise(self, connection: asyncpg.Connection[Row], admin: AIOKafkaAdminClient) -> None:
        """Know the bus by its id; on another than the log was published to, everything retained is pending again."""
        self._bus_id = await _bus_id(admin)
        known = await connection.fetchval(QUERIES.bus_id.sql)
        if known == self._bus_id:
            return
        async with connection.transaction():
            await connection.execute(QUERIES.keep_bus_id.sql, self._bus_id)
            await connection.execute(QUERIES.republish.sql, _BEGINNING, None)
        if known is not None:
            self._metrics.republished.inc()
            self._log.warning("another bus; the retained log is published again")


async def _bus_id(admin: AIOKafkaAdminClient) -> str:
    described = await admin.describe_cluster()
    return str(described["cluster_id"])


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    waits = [asyncio.create_task(one.wait()), asyncio.create_task(other.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _wait(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait, or less when told to stop; whether that was so."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
    return stopping.is_set()
