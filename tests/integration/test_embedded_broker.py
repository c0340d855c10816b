"""What the bus may rely on when the embedded broker dies, and how a client can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError

from shared.bus import offsets
from shared.bus.pace import pace
from shared.embedded.broker import PARTITIONS, EmbeddedBroker
from shared.embedded.processes import Birth, free_port

TOPIC = "walks.v1"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker of this test alone, since it will be killed."""
    broker = EmbeddedBroker(free_port(), tmp_path, {TOPIC: PARTITIONS})
    broker.start()
    yield broker
    broker.stop()


async def read(consumer: AIOKafkaConsumer, count: int) -> set[bytes]:
    """The values of the next records until so many different ones were seen; commits what it can."""
    seen: set[bytes] = set()
    while len(seen) < count:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            seen |= {record.value for record in records if record.value is not None}
    return seen


async def publish(producer: AIOKafkaProducer, values: list[bytes]) -> None:
    """Keyed sends, all awaited."""
    sent = [await producer.send(TOPIC, value, key=value) for value in values]
    await asyncio.gather(*sent)


async def test_a_running_consumer_reads_the_next_life_from_its_beginning(broker: EmbeddedBroker) -> None:
    """After kill and empty restart a group that had read far reads the new log from 0, without being restarted."""
    async with (
        AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", metadata_max_age_ms=1000) as producer,
        AIOKafkaConsumer(
            TOPIC,
            bootstrap_servers=broker.bootstrap,
            group_id="readers",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=6000,
            heartbeat_interval_ms=1000,
            metadata_max_age_ms=1000,
        ) as consumer,
    ):
        before = [b"before-%d" % n for n in range(400)]
        await publish(producer, before)
        assert await asyncio.wait_for(read(consumer, 400), 20) == set(before)
        await consumer.commit()

        broker.kill()
        await asyncio.to_thread(broker.start)

        after = [b"after-%d" % n for n in range(50)]
        await publish(producer, after)
        assert await asyncio.wait_for(read(consumer, 50), 30) == set(after)


async def test_each_life_has_another_name_that_clients_can_read(broker: EmbeddedBroker) -> None:
    """The cluster id changes with every start, so that a relay knows for certain that its log has been lost."""
    lives = set()
    for _ in range(2):
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
        await admin.start()
        try:
            cluster = await admin.describe_cluster()
        finally:
            await admin.close()
        assert cluster["cluster_id"] == broker.life
        lives.add(cluster["cluster_id"])
        broker.kill()
        broker.start()
    assert len(lives) == 2


async def test_no_record_is_hidden_however_busy_the_producers_are_at_a_restart(broker: EmbeddedBroker) -> None:
    """What a life acknowledges while producers re-send their leftovers, it also gives to a reader."""
    producers = [AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all") for _ in range(3)]
    for producer in producers:
        await producer.start()
    try:
        for _ in range(5):
            inflight = [await p.send(TOPIC, b"inflight", key=b"%d" % n) for p in producers for n in range(100)]
            broker.kill()
            await asyncio.to_thread(broker.start)
            await asyncio.gather(*inflight)
            # One batch after the other on each partition: the first of them is what a hidden stray would refuse.
            for round_ in range(3):
                await publish(producers[0], [b"%d-%d" % (round_, n) for n in range(40)])
        async with AIOKafkaConsumer(
            TOPIC, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        ) as reader:
            expected = {b"%d-%d" % (round_, n) for round_ in range(3) for n in range(40)}
            seen = await asyncio.wait_for(read(reader, len(expected | {b"inflight"})), 20)
            assert expected <= seen
    finally:
        for producer in producers:
            await producer.stop()


def test_a_broker_left_running_by_a_crash_is_ended(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """The next start on the folder ends the process an earlier run left behind and takes its port."""
    assert broker.pid is not None
    left = Birth.of(broker.pid)
    successor = EmbeddedBroker(broker.port, tmp_path, {TOPIC: PARTITIONS})
    successor.start()
    try:
        assert left is not None and not left.alive()
    finally:
        successor.stop()


def test_a_port_taken_by_a_stranger_is_said_plainly(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """A broker that finds its port taken says so instead of ending whoever is there."""
    with pytest.raises(OSError, match="is taken by another program"):
        EmbeddedBroker(broker.port, tmp_path / "other").start()
    assert broker.running()


async def test_a_client_that_finds_no_broker_rests_before_it_looks_again(broker: EmbeddedBroker) -> None:
    """The last broker left told of partitions without a leader, and went: aiokafka alone then tries as fast as it can.
    When it no longer does, shared/bus/pace.py has had its day."""
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=broker.bootstrap, retry_backoff_ms=100) as consumer:
        client = consumer._client
        looked = 0
        look = client._metadata_update

        async def counted(*arguments: Any) -> bool:
            nonlocal looked
            looked += 1
            return bool(await look(*arguments))

        async def looks_in_a_second() -> int:
            nonlocal looked
            for topic, partitions in client.cluster._partitions.items():
                client.cluster._partitions[topic] = {
                    number: one._replace(leader=-1) for number, one in partitions.items()
                }
            looked = 0
            await asyncio.sleep(1)
            return looked

        client._metadata_update = counted
        broker.kill()
        assert await looks_in_a_second() > 100
        pace(client)
        assert 1 <= await looks_in_a_second() <= 10


async def test_offsets_of_a_life_that_ended_are_not_left_in_the_next_one(broker: EmbeddedBroker) -> None:
    """Between two memberships a consumer commits as nobody: a broker that began anew takes that; we do not ask."""
    place = TopicPartition(TOPIC, 0)
    async with AIOKafkaConsumer(
        TOPIC, bootstrap_servers=broker.bootstrap, group_id="readers", enable_auto_commit=False
    ) as consumer:
        await offsets.commit(consumer, {place: 70})
        assert await consumer.committed(place) == 70
        broker.kill()
        broker.start()
        # What aiokafka does when it is told that it is no member any more; the loop has not run since.
        consumer._coordinator.reset_generation()
        with pytest.raises(CommitFailedError):
            await offsets.commit(consumer, {place: 71})
    async with AIOKafkaConsumer(
        TOPIC, bootstrap_servers=broker.bootstrap, group_id="readers", enable_auto_commit=False
    ) as consumer:
        assert await consumer.committed(place) is None
    broker.kill()
    broker.start()
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, group_id="readers") as nobody:
        nobody.assign([place])
        await nobody.commit({place: 72})
        assert await nobody.committed(place) == 72, "the broker takes no offsets of nobody any more: offsets.py may go"
