"""A peer: txoutbox, its PostgreSQL storage and the publisher of its documentation, with a producer as durable as ours.

Keys are published at the same time, records of one key one after the other (its promise); a claim takes as many rows
as a flight of ours. The log is kept, as by default. It is woken by hand instead of by its trigger, which would notify
once a row.
"""

from __future__ import annotations

import asyncio
import json

import asyncpg
from aiokafka import AIOKafkaProducer
from txoutbox import OutboxMessage, Relay, RelayConfig
from txoutbox.adapters.postgres import PostgresStorage

from tests.bench.figures import WrongEffect
from tests.bench.ground import Ground, Stopwatch
from tests.bench.relay.brokers import Broker
from tests.bench.relay.loads import Load

_ROWS = 1000


async def publish(ground: Ground, broker: Broker, load: Load, stopwatch: Stopwatch) -> None:
    """Publish all of a load from a table of its own."""
    async with ground.clone("CREATE SCHEMA txoutbox") as clone:
        pool = await asyncpg.create_pool(clone.admin_url, min_size=2, max_size=4)
        producer = AIOKafkaProducer(
            bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=broker.idempotent, linger_ms=0
        )
        await producer.start()
        storage = PostgresStorage(pool, schema="txoutbox")
        await storage.create_schema()

        async def send(message: OutboxMessage) -> None:
            headers = [(name, value.encode()) for name, value in message.headers.items()]
            assert message.key is not None
            await producer.send_and_wait(message.topic, message.payload, key=message.key.encode(), headers=headers)
            stopwatch.took_effect(1)

        relay = Relay(storage, send, config=RelayConfig(batch_size=_ROWS, concurrency=_ROWS))
        try:
            async with relay:
                async with pool.acquire() as connection, connection.transaction():
                    await connection.executemany(
                        "INSERT INTO txoutbox.outbox (topic, key, payload, headers) VALUES ($1, $2, $3, $4::jsonb)",
                        [
                            (topic, key.decode(), value, json.dumps({name: of.decode() for name, of in headers}))
                            for topic, key, value, headers in load.records
                        ],
                    )
                    stopwatch.arrived()
                relay.wake()
                await stopwatch.done.wait()
            if await pool.fetchval("SELECT count(*) FROM txoutbox.outbox WHERE status <> 'done'"):
                raise WrongEffect("txoutbox left rows that are not done")
        finally:
            await producer.stop()
            await asyncio.wait_for(pool.close(), 10)
