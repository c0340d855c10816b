"""The only Kafka broker: FastStream's, with one batch subscriber a service, acknowledged after the commit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final

from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.bus.consumption import LARGEST_BATCH, Consumption
from shared.bus.inbox import Inbox
from shared.bus.metrics import BusMetrics
from shared.bus.pace import pace
from shared.bus.subscriptions import Subscriptions
from shared.observability import log

_LOOK: Final = 1.0
"""Seconds between two looks at whether the consumer still lives."""
_STOPS: Final = 10.0
"""Seconds a consumer that died has to stop."""


class Bus:
    """Connects a service's inbox to the bus: starts when the broker is there, and again when it comes back."""

    def __init__(
        self,
        *,
        bootstrap: str,
        subscriptions: Subscriptions,
        inbox: Inbox,
        metrics: BusMetrics,
        group: str | None = None,
        embedded: bool = False,
    ) -> None:
        self._bootstrap = bootstrap
        self._subscriptions = subscriptions
        self._inbox = inbox
        self._metrics = metrics
        self._embedded = embedded
        self._group = group or subscriptions.service
        self._log = log(__name__)
        self._broker: KafkaBroker | None = None
        self._consumption = Consumption(inbox, metrics)

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until told to stop. The broker may be away at any time, at start as well."""
        if not self._subscriptions.topics:
            return
        pause = 0.2
        while not stopping.is_set():
            broker = self._build()
            try:
                await broker.start()
            except Exception as fault:
                self._log.warning("the broker cannot be reached", fault=type(fault).__name__)
                with contextlib.suppress(Exception):
                    await broker.stop()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), pause)
                pause = min(3.0, pause * 2)
                continue
            pause = 0.2
            self._broker = broker
            for consumer in _consumers(broker):
                pace(consumer._client)
            died = await self._died(broker, stopping)
            self._broker = None
            await self._consumption.stop()
            if not died:
                await broker.stop()
                return
            self._log.error("the consumer died and is made anew")
            with contextlib.suppress(Exception):
                # It may wait for what a task that ended was to do.
                async with asyncio.timeout(_STOPS):
                    await broker.stop()
            for consumer in _consumers(broker):
                # What stop leaves open when it meets the fault that the consumer died of.
                with contextlib.suppress(Exception):
                    await consumer._client.close()

    async def _died(self, broker: KafkaBroker, stopping: asyncio.Event) -> bool:
        """Whether a consumer ended by itself, as soon as that is seen; False once told to stop.

        A connection that ends at the wrong moment can end aiokafka's own tasks with an error nobody awaits (its
        issue 1038): such a consumer keeps its partitions and reads no more.
        """
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _LOOK)
            if stopping.is_set():
                return False
            if any(not alive(consumer) for consumer in _consumers(broker)):
                return True

    @property
    def ready(self) -> bool:
        """Whether this member has its partitions, or none are left for it."""
        if not self._subscriptions.topics:
            return True
        if self._broker is None:
            return False
        consumers = _consumers(self._broker)
        return bool(consumers) and all(alive(one) and one.assignment() is not None for one in consumers)

    def _build(self) -> KafkaBroker:
        broker = KafkaBroker(
            # FastStream hands a text on as one address.
            self._bootstrap.split(","),
            client_id=self._subscriptions.service,
            # The relay publishes; FastStream's own producer would be one more connection, and is left open when a
            # start fails.
            consumer_only=True,
            apply_types=False,
            logger=None,
            graceful_timeout=20,
            allow_auto_create_topics=False,
            metadata_max_age_ms=2_000,
            request_timeout_ms=20_000,
        )

        consumption = self._consumption = Consumption(self._inbox, self._metrics)

        async def raw(batch: Sequence[ConsumerRecord[Any, Any]]) -> KafkaAckableMessage:
            return _raw(batch, subscriber.consumer)

        subscriber: BatchSubscriber = broker.subscriber(
            *self._subscriptions.topics,
            group_id=self._group,
            batch=True,
            max_records=LARGEST_BATCH,
            batch_timeout_ms=20,
            fetch_max_wait_ms=50,
            auto_offset_reset="earliest",
            # Offsets follow the database, and a batch that fails goes back: both are the consumption's.
            ack_policy=AckPolicy.MANUAL,
            listener=consumption,
            # The embedded broker waits for sessions to end before a group forms anew; Apache Kafka takes 6 s at least.
            session_timeout_ms=2_000 if self._embedded else 6_000,
            heartbeat_interval_ms=500 if self._embedded else 1_000,
            max_poll_interval_ms=300_000,
            # Bytes stay bytes: the inbox reads each record itself, so that one bad record fails alone.
            parser=raw,
            decoder=_undecoded,
        )

        @subscriber
        async def take(batch: Sequence[ConsumerRecord[Any, Any]]) -> None:
            consumer = subscriber.consumer
            if consumer is not None:  # it is what the batch came from
                await consumption.take(consumer, batch)

        return broker


def _consumers(broker: KafkaBroker) -> list[Any]:
    found = [subscriber.consumer for subscriber in broker.subscribers]  # type: ignore[attr-defined]  # LogicSubscriber has it
    return [consumer for consumer in found if consumer is not None]


def alive(consumer: Any) -> bool:
    """Whether all tasks of an aiokafka consumer run: one reads, one keeps it in its group, one finds the brokers.

    Two more end with each assignment. One that ended in a fault is not begun again: aiokafka raises that fault at every
    poll from then on, and neither beats nor learns where to begin.
    """
    coordinator = consumer._coordinator
    tasks = (consumer._fetcher.error_future, coordinator._coordination_task, consumer._client._sync_task)
    if any(task.done() for task in tasks):
        return False
    of_assignment = (coordinator._heartbeat_task, coordinator._commit_refresh_task)
    return not any(
        task is not None and task.done() and not task.cancelled() and task.exception() for task in of_assignment
    )


def _raw(batch: Sequence[ConsumerRecord[Any, Any]], consumer: Any) -> KafkaAckableMessage:
    return KafkaAckableMessage(
        raw_message=tuple(batch), body=b"", headers={}, path={}, reply_to="", content_type=None, consumer=consumer
    )


async def _undecoded(message: KafkaAckableMessage) -> Any:
    return message.raw_message
