"""A peer: faststream-outbox as its documentation relays to Kafka, a publisher stacked on a subscriber.

Rows are claimed five hundred at a time, woken by NOTIFY, deleted a hundred at a time (its lever for throughput), and
bodies are handed on as bytes, so nothing is parsed. Once with one worker, which is what keeps the order of a key, and
once with as many as make it fastest here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faststream.kafka import KafkaBroker, KafkaResponse
from faststream_outbox import OutboxBroker, make_outbox_table
from faststream_outbox.annotations import OutboxMessage
from sqlalchemy import MetaData, func, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

from tests.bench.figures import WrongEffect
from tests.bench.ground import Ground, Stopwatch
from tests.bench.relay.brokers import Broker
from tests.bench.relay.loads import Load

_ROWS = 500
_DELETED_AT_ONCE = 100
_QUEUE = "relay"
WORKERS = 32


async def _publish(workers: int, ground: Ground, broker: Broker, load: Load, stopwatch: Stopwatch) -> None:
    async with ground.clone("CREATE SCHEMA faststream_outbox") as clone:
        metadata = MetaData(schema="faststream_outbox")
        table = make_outbox_table(metadata)
        engine = create_async_engine(
            "postgresql+asyncpg" + clone.admin_url.removeprefix("postgresql"),
            pool_size=workers + 4,
        )
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

        def forgotten(event: str, tags: Mapping[str, Any]) -> None:
            if event == "acked":
                stopwatch.took_effect(1)

        outbox = OutboxBroker(engine, outbox_table=table, logger=None, metrics_recorder=forgotten)
        kafka = KafkaBroker(
            broker.bootstrap,
            acks="all",
            enable_idempotence=broker.idempotent,
            linger_ms=0,
            logger=None,
            allow_auto_create_topics=False,
        )

        @kafka.publisher(load.records[0][0])
        @outbox.subscriber(
            _QUEUE,
            max_workers=workers,
            fetch_batch_size=_ROWS,
            min_fetch_interval=0.05,
            max_fetch_interval=1.0,
            terminal_flush_batch_size=_DELETED_AT_ONCE,
        )
        async def relay(message: OutboxMessage) -> KafkaResponse:
            headers = dict(message.headers)
            return KafkaResponse(message.body, key=headers["ce_subject"].encode(), headers=headers)

        await kafka.start()
        await outbox.start()
        try:
            async with engine.begin() as connection:
                await connection.execute(
                    insert(table),
                    [
                        {"queue": _QUEUE, "payload": value, "headers": {name: of.decode() for name, of in headers}}
                        for _, _, value, headers in load.records
                    ],
                )
                await connection.execute(select(func.pg_notify("outbox_outbox", _QUEUE)))
                stopwatch.arrived()
            await stopwatch.done.wait()
        finally:
            await outbox.stop()
            await kafka.stop()
            await engine.dispose()
        if (left := await clone.looked_up("SELECT count(*) FROM faststream_outbox.outbox")) != (0,):
            raise WrongEffect(f"faststream-outbox left {left[0]} rows")


async def one_worker(ground: Ground, broker: Broker, load: Load, stopwatch: Stopwatch) -> None:
    """Publish all of a load, one row after the other."""
    await _publish(1, ground, broker, load, stopwatch)


async def many_workers(ground: Ground, broker: Broker, load: Load, stopwatch: Stopwatch) -> None:
    """Publish all of a load, many rows at a time."""
    await _publish(WORKERS, ground, broker, load, stopwatch)
