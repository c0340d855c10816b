"""Apache Kafka as the tests start it: idempotent producer, groups, records kept over a kill."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from shared.bus.publishers import KafkaPublisher
from shared.contracts.envelope import TYPE_PREFIX
from tests.servers.apache_kafka import ApacheKafka

TOPIC = "kafka-itself.v1"


def consumer(kafka: ApacheKafka, group: str) -> AIOKafkaConsumer:
    """A member of a group that begins at the beginning."""
    return AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=kafka.bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=6000,
        heartbeat_interval_ms=500,
    )


async def create(kafka: ApacheKafka, topic: str) -> None:
    """The topic is there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        if topic not in await admin.list_topics():
            await admin.create_topics([NewTopic(topic, 4, 1)])
    finally:
        await admin.close()


async def test_records_survive_a_kill_and_keep_their_order(apache_kafka: ApacheKafka) -> None:
    """Sends in flight at SIGKILL are delivered once and in order by the idempotent producer; all records are kept."""
    await create(apache_kafka, TOPIC)
    async with AIOKafkaProducer(
        bootstrap_servers=apache_kafka.bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=60_000
    ) as producer:
        keys = [b"key-%d" % n for n in range(20)]
        first = [await producer.send(TOPIC, b"%d" % n, key=keys[n % 20]) for n in range(1000)]
        await asyncio.gather(*first)
        second = [await producer.send(TOPIC, b"%d" % n, key=keys[n % 20]) for n in range(1000, 2000)]
        await asyncio.to_thread(apache_kafka.kill)
        await asyncio.to_thread(apache_kafka.start)
        await asyncio.gather(*second)

    by_key: dict[bytes, list[int]] = {}
    read = 0
    async with consumer(apache_kafka, "order") as reader:
        while read < 2000:
            for records in (await asyncio.wait_for(reader.getmany(timeout_ms=500), 20)).values():
                for record in records:
                    by_key.setdefault(record.key or b"", []).append(int(record.value or b""))
                    read += 1
    assert by_key == {key: list(range(n, 2000, 20)) for n, key in enumerate(keys)}


async def test_a_topic_nobody_created_is_not_made_up(apache_kafka: ApacheKafka) -> None:
    """Topics come from the file of topics: asking for another one creates none."""
    admin = AIOKafkaAdminClient(bootstrap_servers=apache_kafka.bootstrap)
    await admin.start()
    try:
        await admin.describe_topics(["nobody-made-this.v1"])
        assert "nobody-made-this.v1" not in await admin.list_topics()
    finally:
        await admin.close()


async def test_a_broker_that_goes_is_no_other_bus(apache_kafka: ApacheKafka) -> None:
    """While no broker answers the relay is told the bus it knows: its producer waits and goes on."""
    publisher = KafkaPublisher(apache_kafka.bootstrap)
    known = await publisher.start()
    try:
        await asyncio.to_thread(apache_kafka.kill)
        try:
            assert await publisher.bus_id() == known
        finally:
            await asyncio.to_thread(apache_kafka.start)
        assert await publisher.bus_id() == known
    finally:
        await publisher.stop()


async def test_a_producer_whose_own_tasks_have_ended_is_given_up_and_not_waited_for(apache_kafka: ApacheKafka) -> None:
    """aiokafka looks for the brokers in a task of its own. When that ends by a fault it does not expect, what is being
    sent would wait for ever; here it is refused at once, and a new publisher of the same relay brings it."""
    row: Any = {
        "topic": TOPIC, "key": uuid4(), "force_id": "avon-and-somerset", "sequence": 1, "id": uuid4(), "data": b"{}",
        "type": f"{TYPE_PREFIX}walk-requested.v1", "time": datetime.now(UTC), "stamp": datetime.now(UTC),
        "headers": None, "correlation_id": uuid4(), "causation_id": None, "traceparent": None,
    }  # fmt: skip
    await create(apache_kafka, TOPIC)

    async def fault(*_: object) -> bool:
        raise RuntimeError("unable to perform operation on a transport that is closed")

    died = KafkaPublisher(apache_kafka.bootstrap)
    known = await died.start()
    async with asyncio.timeout(60):
        flight = await died.prepare("/tests", [row])
        died._producer.client._metadata_update = fault
        died._producer._sender._in_flight.update(range(10))  # no broker is free: the batch waits
        leaving = asyncio.create_task(flight())
        await asyncio.sleep(0)
        died._producer.client.force_metadata_update()
        with pytest.raises(KafkaError):
            await leaving
        with pytest.raises(KafkaError):
            await died.bus_id()
        await died.stop()
        another = KafkaPublisher(apache_kafka.bootstrap)
        assert await another.start() == known
        await (await another.prepare("/tests", [row]))()
        await another.stop()
