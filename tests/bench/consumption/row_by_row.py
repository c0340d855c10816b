"""An honest middle: FastStream hands over batches, one commit and one acknowledgement a batch, and SQL row by row.

The handlers are ours, with a sequence of one, within the transaction of their batch. It is spared what `one_call` is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from services.feedback.subscribers import subscriptions
from shared.bus.consumption import LARGEST_BATCH
from shared.bus.outbox import QUERIES
from shared.bus.subscriptions import Subscription
from shared.contracts.envelope import Envelope, Received
from shared.database import Database
from tests.bench.ground import POLICIES, Clone, Ground, Stopwatch


async def consume(ground: Ground, clone: Clone, topic: str, stopwatch: Stopwatch) -> None:
    """Consume until the stopwatch has seen enough."""
    database = Database(clone.bus_url)
    await database.open()
    subscribe = subscriptions(POLICIES)
    broker = KafkaBroker(ground.bootstrap, logger=None, allow_auto_create_topics=False)

    @broker.subscriber(
        topic,
        group_id=ground.group(),
        batch=True,
        max_records=LARGEST_BATCH,
        batch_timeout_ms=20,
        fetch_max_wait_ms=50,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        session_timeout_ms=2_000,
        heartbeat_interval_ms=500,
    )
    async def take(batch: list[dict[str, Any]], message: KafkaMessage) -> None:
        stopwatch.arrived()
        raw = message.raw_message
        assert isinstance(raw, tuple)
        now = datetime.now(UTC)
        read: list[tuple[Subscription, Received[Any]]] = []
        for data, record in zip(batch, raw, strict=True):
            envelope = Envelope.read(dict(record.headers))
            subscription = subscribe.get(envelope.type)
            assert subscription is not None
            read.append((subscription, Received.of(subscription.event.model_validate(data), envelope)))
        async with database.transaction({received.force_id for _, received in read}) as tx:
            for subscription, received in read:
                if await tx.fetch(QUERIES.receive, [received.force_id], [received.id], now):
                    await subscription.handler(tx, [received], now)
        stopwatch.took_effect(len(raw))

    await broker.start()
    try:
        await stopwatch.done.wait()
    finally:
        await broker.stop()
        await database.close()
