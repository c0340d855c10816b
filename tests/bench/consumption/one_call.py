"""The usual way: a FastStream subscriber that is called for each message, with one commit and one acknowledgement each.

The handler is ours, with a sequence of one, and the inbox makes redelivery harmless. It is spared our check for held
records, which would cost it one more trip.
"""

from __future__ import annotations

from datetime import UTC, datetime

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from services.feedback import handlers
from shared.bus.outbox import QUERIES
from shared.contracts.envelope import Envelope, Received
from shared.contracts.walks import WalkCompleted
from shared.database import Database
from tests.bench.ground import POLICIES, Clone, Ground, Stopwatch


async def consume(ground: Ground, clone: Clone, topic: str, stopwatch: Stopwatch) -> None:
    """Consume completed walks until the stopwatch has seen enough."""
    database = Database(clone.bus_url)
    await database.open()
    broker = KafkaBroker(ground.bootstrap, logger=None, allow_auto_create_topics=False)

    @broker.subscriber(
        topic,
        group_id=ground.group(),
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        session_timeout_ms=2_000,
        heartbeat_interval_ms=500,
    )
    async def invite(event: WalkCompleted, message: KafkaMessage) -> None:
        stopwatch.arrived()
        raw = message.raw_message
        assert not isinstance(raw, tuple)
        envelope = Envelope.read(dict(raw.headers))
        received = Received(
            event,
            envelope.id,
            envelope.force_id,
            envelope.time,
            envelope.sequence,
            envelope.correlation_id,
            envelope.traceparent,
        )
        now = datetime.now(UTC)
        async with database.transaction([envelope.force_id]) as tx:
            if await tx.fetch(QUERIES.receive, [envelope.force_id], [envelope.id], now):
                await handlers.invite(tx, [received], now, policies=POLICIES)
        stopwatch.took_effect(1)

    await broker.start()
    try:
        await stopwatch.done.wait()
    finally:
        await broker.stop()
        await database.close()
