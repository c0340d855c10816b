"""The two ways records reach a broker, behind one small interface: many records at once, in order per partition.

A flight is made ready while the one before is still in the air, and leaves when that one has arrived. It arrives whole
or raises; after that it is published again from its first row.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import struct
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaError, for_code
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from shared.bus.pace import pace
from shared.contracts.envelope import TYPE_PREFIX, Envelope
from shared.database import Row

_REQUEST_TIMEOUT_MS: Final = 10_000
_ASK: Final = 1.0
"""Seconds for a cluster to say its id, which nothing is published in meanwhile."""
_LARGEST_BATCH: Final = 1_000_000
_DIED: Final = "the client ended by itself"
_words = struct.Struct("<9I").unpack

T = TypeVar("T")
Place = tuple[str, int]
Leave = Callable[[], Coroutine[Any, Any, None]]
Batches = list[tuple[str, list[tuple[int, bytes]]]]


class Publisher(Protocol):
    """Where the relay sends its flights."""

    async def start(self) -> str:
        """Connect; the id of the cluster reached."""

    async def bus_id(self) -> str:
        """The id of the cluster reached now."""

    async def prepare(self, source: str, rows: Sequence[Row]) -> Leave:
        """Make records of rows of the outbox log. Whoever calls what this returns publishes them, in order per
        partition, and goes on when all are acknowledged."""

    async def stop(self) -> None:
        """Let go of every connection."""


class KafkaPublisher:
    """Apache Kafka: an idempotent producer, so that its own retries neither double nor reorder.

    A connection that ends at the wrong moment can end aiokafka's own tasks with an error nobody awaits (its issue
    1038): such a producer keeps what it was given and sends no more, so whoever waits for it watches those tasks too.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bus_id = ""
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_REQUEST_TIMEOUT_MS)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            max_batch_size=_LARGEST_BATCH,
            max_request_size=4 * _LARGEST_BATCH,
        )

    async def start(self) -> str:
        await self._admin.start()
        self._bus_id = str((await self._admin.describe_cluster())["cluster_id"])
        await self._producer.start()
        pace(self._producer.client)
        return self._bus_id

    async def bus_id(self) -> str:
        """While no answer comes it is the one known: a broker that goes is no other cluster, and the producer, which
        finds the brokers that are left, is not to be given up for it.

        :raises KafkaError: nothing can be asked or sent any more.
        """
        if any(task.done() for task in self._own_tasks()):
            raise KafkaError(_DIED)
        with contextlib.suppress(KafkaError, OSError, TimeoutError, RuntimeError):
            async with asyncio.timeout(_ASK):
                self._bus_id = str((await self._admin.describe_cluster())["cluster_id"])
        return self._bus_id

    async def prepare(self, source: str, rows: Sequence[Row]) -> Leave:
        partitions: dict[str, list[int]] = {}
        for topic in {row["topic"] for row in rows}:
            found = await self._while_alive(self._producer.partitions_for(topic))
            if not found:
                raise KafkaError(f"topic {topic} does not exist")
            partitions[topic] = sorted(found)
        batches = {place: self._batches(mine, source) for place, mine in by_place(rows, partitions).items()}
        return partial(self._publish, batches)

    def _batches(self, rows: Sequence[Row], source: str) -> list[BatchBuilder]:
        found: list[BatchBuilder] = []
        start = 0
        while start < len(rows):
            batch = self._producer.create_batch()
            end = start
            while end < len(rows) and batch.append(**_record(rows[end], source)) is not None:
                end += 1
            if end == start:
                raise KafkaError("an event does not fit into a batch")
            batch.close()
            found.append(batch)
            start = end
        return found

    async def _publish(self, batches: Mapping[Place, Sequence[BatchBuilder]]) -> None:
        ends = await self._while_alive(
            asyncio.gather(
                *(self._publish_partition(place, mine) for place, mine in batches.items()), return_exceptions=True
            )
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _publish_partition(self, place: Place, batches: Sequence[BatchBuilder]) -> None:
        for batch in batches:
            # One batch of a partition in the air: a refused one is never overtaken by a later one.
            await (await self._producer.send_batch(batch, place[0], partition=place[1]))

    async def _while_alive(self, work: Awaitable[T]) -> T:
        working = asyncio.ensure_future(work)
        try:
            await asyncio.wait((working, *self._own_tasks()), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise KafkaError(_DIED)
            return working.result()
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    def _own_tasks(self) -> tuple[asyncio.Task[None], ...]:
        """What aiokafka runs for both clients: they find brokers, and one sends."""
        producer, sender = self._producer.client, self._producer._sender
        return producer._sync_task, sender.sender_task, self._admin._client._sync_task

    async def stop(self) -> None:
        # The producer's own stop waits for what it can no longer send; its client is closed all the same.
        for closing in (self._producer.stop(), self._producer.client.close(), self._admin.close()):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(closing, 5)


class OneConnectionPublisher:
    """A single broker without an idempotent producer, and without a memory: the embedded one.

    A client that reconnects and sends again by itself would put records of an interrupted flight at the head of an
    emptied log, before the ones they follow. So everything leaves on one connection, which belongs to one life of the
    broker: its id is asked on that connection, and when it breaks nothing is sent again but by the relay.
    """

    def __init__(self, bootstrap: str) -> None:
        host, _, port = bootstrap.split(",")[0].rpartition(":")
        self._host, self._port = host, int(port)
        self._connection: AIOKafkaConnection | None = None
        self._partitions: dict[str, list[int]] = {}

    async def start(self) -> str:
        self._connection = await create_conn(
            self._host, self._port, client_id="walkandtalk-relay", request_timeout_ms=_REQUEST_TIMEOUT_MS
        )
        return await self.bus_id()

    async def bus_id(self) -> str:
        described = await self._ask(MetadataRequest([]))
        return str(described.cluster_id)

    async def prepare(self, source: str, rows: Sequence[Row]) -> Leave:
        missing = {row["topic"] for row in rows} - self._partitions.keys()
        if missing:
            described = await self._ask(MetadataRequest(sorted(missing), allow_auto_topic_creation=False))
            for code, topic, _, found in described.topics:
                if code:
                    raise for_code(code)(f"topic {topic} does not exist")
                self._partitions[topic] = sorted(partition[1] for partition in found)
        left = by_place(rows, self._partitions)
        requests: list[Batches] = []
        while left:
            request: dict[str, list[tuple[int, bytes]]] = {}
            for (topic, partition), mine in list(left.items()):
                batch, taken = _batch(mine, source)
                request.setdefault(topic, []).append((partition, batch))
                del mine[:taken]
                if not mine:
                    del left[(topic, partition)]
            requests.append(list(request.items()))
        return partial(self._publish, requests)

    async def _publish(self, requests: Sequence[Batches]) -> None:
        for topics in requests:
            answer = await self._ask(
                ProduceRequest(transactional_id=None, required_acks=-1, timeout=_REQUEST_TIMEOUT_MS, topics=topics)
            )
            for _, partitions in answer.topics:
                for _, code, *_ in partitions:
                    if code:
                        raise for_code(code)

    async def _ask(self, request: Any) -> Any:
        if self._connection is None or not self._connection.connected():
            raise ConnectionError("the connection to the broker is gone")
        return await self._connection.send(request)

    async def stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def by_place(rows: Sequence[Row], partitions: Mapping[str, list[int]]) -> dict[Place, list[Row]]:
    """Rows by topic and partition, in order."""
    found: dict[Place, list[Row]] = {}
    for row in rows:
        topic: str = row["topic"]
        of_topic = partitions[topic]
        place = (topic, of_topic[partition_hash(row["key"]) % len(of_topic)])
        if place in found:
            found[place].append(row)
        else:
            found[place] = [row]
    return found


@lru_cache(8192)
def partition_hash(key: UUID) -> int:
    """What every Kafka client takes a key's partition from: murmur2 of its 36 characters, without the sign.

    As aiokafka's, which takes twice as long: it puts the words together byte by byte.
    """
    hashed = 0x9747B28C ^ 36
    for word in _words(str(key).encode()):
        mixed = word * 0x5BD1E995 & 0xFFFFFFFF
        hashed = (hashed * 0x5BD1E995 ^ (mixed ^ mixed >> 24) * 0x5BD1E995) & 0xFFFFFFFF
    hashed = (hashed ^ hashed >> 13) * 0x5BD1E995 & 0xFFFFFFFF
    return (hashed ^ hashed >> 15) & 0x7FFFFFFF


def _batch(rows: Sequence[Row], source: str) -> tuple[bytes, int]:
    """A record batch of as many rows as fit, and how many those were."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, _LARGEST_BATCH)
    taken = 0
    for row in rows:
        if builder.append(taken, **_record(row, source)) is None:
            break
        taken += 1
    if not taken:
        raise KafkaError("an event does not fit into a batch")
    return bytes(builder.build()), taken


def _record(row: Row, source: str) -> dict[str, Any]:
    return {
        "timestamp": int(row["stamp"].timestamp() * 1000),
        "key": str(row["key"]).encode(),
        "value": row["data"],
        "headers": _headers(row, source),
    }


def _headers(row: Row, source: str) -> list[tuple[str, bytes]]:
    if row["headers"] is not None:
        return [(name, base64.b64decode(value)) for name, value in json.loads(row["headers"])]
    type_: str = row["type"]
    return Envelope(
        id=row["id"],
        source=source,
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
