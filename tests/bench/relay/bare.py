"""The ceiling: the same records from memory to the broker, with no database to read from and nothing to remember.

It is spared the outbox altogether: fetching, making headers and JSON bytes of rows, forgetting, the leader's lock, the
check that the bus is still the same one.
"""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from tests.bench.ground import Ground, Recorded, Stopwatch
from tests.bench.relay.brokers import Broker
from tests.bench.relay.loads import Load

_BATCH = 262_144
_partition_of = DefaultPartitioner()


def durable_producer(broker: Broker) -> AIOKafkaProducer:
    """One as durable as ours: acknowledged by all, idempotent where the broker can be asked for it."""
    return AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap,
        acks="all",
        enable_idempotence=broker.idempotent,
        max_batch_size=_BATCH,
        max_request_size=4 * _BATCH,
        linger_ms=0,
    )


async def send(ground: Ground, broker: Broker, load: Load, stopwatch: Stopwatch) -> None:
    """Keyed sends without waiting, then all acknowledgements: what one writes with a producer."""
    producer = durable_producer(broker)
    await producer.start()
    try:
        await producer.partitions_for(load.records[0][0])
        stopwatch.arrived()
        sent = [await producer.send(topic, value, key, headers=headers) for topic, key, value, headers in load.records]
        await asyncio.gather(*sent)
        stopwatch.took_effect(len(sent))
    finally:
        await producer.stop()


async def batches(ground: Ground, broker: Broker, load: Load, stopwatch: Stopwatch) -> None:
    """Batches of a partition filled by hand, one of each in the air: no future a record, the least Python can do."""
    producer = durable_producer(broker)
    await producer.start()
    try:
        topic = load.records[0][0]
        partitions = sorted(await producer.partitions_for(topic))
        stopwatch.arrived()
        places: dict[int, list[Recorded]] = {}
        for record in load.records:
            places.setdefault(_partition_of(record[1], partitions, partitions), []).append(record)
        await asyncio.gather(*(_fill(producer, topic, partition, mine) for partition, mine in places.items()))
        stopwatch.took_effect(len(load.records))
    finally:
        await producer.stop()


async def _fill(producer: AIOKafkaProducer, topic: str, partition: int, records: list[Recorded]) -> None:
    batch = producer.create_batch()
    for _, key, value, headers in records:
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            batch.close()
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=headers)
    batch.close()
    await (await producer.send_batch(batch, topic, partition=partition))
