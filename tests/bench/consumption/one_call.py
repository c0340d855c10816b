"""The usual way: a FastStream subscriber that is called for each message, with one commit and one acknowledgement each.

The handlers are ours, with a sequence of one, and the inbox makes redelivery harmless. It is spared our check for held
records, which would cost it one more trip.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from services.feedback.subscribers import subscriptions
from shared.bus.outbox import QUERIES
from shared.bus.subscriptions import Subscription
from shared.contracts.envelope import Envelope, Event, Received
from shared.database import Database
from tests.bench.ground import POLICIES, Clone, Ground, Stopwatch


async def consume(ground: Ground, clone: Clone, topic: str, stopwatch: Stopwatch) -> None:
    """Consume until the stopwatch has seen enough."""
    database = Database(clone.bus_url)
    await database.open()
    broker = KafkaBroker(ground.bootstrap, logger=None, allow_auto_create_topics=False)
    subscriber = broker.subscriber(
        topic,
        group_id=ground.group(),
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        session_timeout_ms=2_000,
        heartbeat_interval_ms=500,
    )
    subscribe = subscriptions(POLICIES)
    for event in subscribe.events:
        subscription = subscribe.get(event.type())
        if event.topic == topic and subscription is not None:
            subscriber(_handler(subscription, database, stopwatch), filter=_of(event))
    await broker.start()
    try:
        await stopwatch.done.wait()
    finally:
        await broker.stop()
        await database.close()


def _of(event: type[Event]) -> Callable[[KafkaMessage], Awaitable[bool]]:
    async def is_of(message: KafkaMessage) -> bool:
        return bool(message.headers["ce_type"] == event.type())

    return is_of


def _handler(
    subscription: Subscription, database: Database, stopwatch: Stopwatch
) -> Callable[[Any, KafkaMessage], Awaitable[None]]:
    async def take(event: Any, message: KafkaMessage) -> None:
        stopwatch.arrived()
        raw = message.raw_message
        assert not isinstance(raw, tuple)
        received = Received.of(event, Envelope.read(dict(raw.headers)))
        now = datetime.now(UTC)
        async with database.transaction([received.force_id]) as tx:
            if await tx.fetch(QUERIES.receive, [received.force_id], [received.id], now):
                await subscription.handler(tx, [received], now)
        stopwatch.took_effect(1)

    # What FastStream validates the data against, as if it were written in the signature.
    take.__annotations__["event"] = subscription.event
    return take
