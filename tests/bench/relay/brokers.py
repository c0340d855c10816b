"""The brokers a relay publishes to, and the check of what reached them: all there, and in the order of each key."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.embedded.broker import PARTITIONS
from shared.embedded.processes import free_port
from tests.bench.figures import WrongEffect
from tests.bench.ground import Ground, Recorded
from tests.servers.apache_kafka import ApacheKafka, jars, kafka_version
from tests.servers.jars import Lacking


@dataclass(frozen=True, slots=True)
class Broker:
    """One that is measured on; `renew` makes it as good as new before a measurement."""

    name: str
    bootstrap: str
    idempotent: bool
    renew: Callable[[], Awaitable[None]]


def embedded(servers: Ground) -> Broker:
    """The embedded broker: a new, empty life for each measurement, or its memory would only grow."""
    return Broker("embedded broker", servers.bootstrap, False, servers.empty_bus)


@asynccontextmanager
async def apache(servers: Ground, topics: Sequence[str]) -> AsyncIterator[Broker | str]:
    """Apache Kafka, one broker, with these topics; or a sentence that says what this machine lacks for it."""
    try:
        await asyncio.to_thread(jars)
    except Lacking as lack:
        yield f"Apache Kafka is not measured: this machine lacks {lack}."
        return
    port = free_port(avoid=[servers.postgres.port])
    kafka = ApacheKafka(servers.folder / "kafka", port, free_port(avoid=[servers.postgres.port, port]))
    try:
        await asyncio.to_thread(kafka.start)
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics])
        finally:
            await admin.close()
        yield Broker(f"Apache Kafka {kafka_version()}", kafka.bootstrap, True, _as_it_is)
    finally:
        await asyncio.to_thread(kafka.stop)


async def _as_it_is() -> None:
    """Apache Kafka keeps its records on disk; what was written before is in nobody's way."""


class Arrivals:
    """What reaches a topic from a moment on; it is read afterwards, so that reading costs nobody's time."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._bootstrap = broker.bootstrap
        self._places = [TopicPartition(topic, n) for n in range(PARTITIONS)]
        self._from: dict[TopicPartition, int] = {}

    async def begin(self) -> None:
        """From here on records count."""
        async with self._consumer() as consumer:
            self._from = await consumer.end_offsets(self._places)

    async def check(self, who: str, sent: Sequence[Recorded]) -> str:
        """Whether all of `sent` arrived; a sentence when a key's order is broken or records came twice, else "".

        :raises WrongEffect: a record is missing, or has another value or other headers than it had to have.
        """
        found = await self._read(len(sent))
        came, wanted = Counter(value for _, value in found), Counter(value for _, _, value, _ in sent)
        if missing := wanted - came:
            raise WrongEffect(f"{who}: {missing.total()} of {len(sent)} records are missing on the topic")
        if twice := came - wanted:
            return f"{who}: {twice.total()} records came twice."
        sequences: dict[bytes, list[int]] = {}
        for headers, _ in found:
            if lacking := dict(sent[0][3]).keys() - headers.keys():
                raise WrongEffect(f"{who}: records lack {', '.join(sorted(lacking))}")
            sequences.setdefault(headers["ce_subject"], []).append(int(headers["ce_sequence"]))
        broken = sum(of_key != list(range(1, len(of_key) + 1)) for of_key in sequences.values())
        return f"{who}: the order of {broken} of {len(sequences)} keys is broken." if broken else ""

    async def _read(self, many: int) -> list[tuple[dict[str, bytes], bytes]]:
        # Not up to the end offsets: the embedded broker says where its last batch begins, not where it ends.
        found: list[tuple[dict[str, bytes], bytes]] = []
        async with self._consumer() as consumer:
            consumer.assign(self._places)
            for place in self._places:
                consumer.seek(place, self._from[place])
            while came := await consumer.getmany(timeout_ms=200 if len(found) >= many else 3_000):
                for records in came.values():
                    found += [(dict(record.headers), record.value) for record in records]
        return found

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=None, fetch_max_wait_ms=50, check_crcs=False
        )
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()
