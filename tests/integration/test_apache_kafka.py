"""Apache Kafka as the tests start it: idempotent producer, groups, records kept over a kill."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.bus.publishers import KafkaPublisher
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


async def test_records_survive_a_kill_and_keep_their_order(apache_kafka: ApacheKafka) -> None:
    """Sends in flight at SIGKILL are delivered once and in order by the idempotent producer; all records are kept."""
    admin = AIOKafkaAdminClient(bootstrap_servers=apache_kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 4, 1)])
    await admin.close()
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
