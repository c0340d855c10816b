"""A consumer's way through its partitions: while a batch takes effect the next is fetched and read; offsets follow.

    batch 1   take effect ────────────────┐ offsets ──┐
    batch 2            fetch and read ────┤ take effect ────────────┐ offsets ──┐
    batch 3                                        fetch and read ──┤ take effect …

At least once: the offsets of a batch are committed after its transaction, and never those of records that were only
read. A batch that fails goes back to where it began, together with what was fetched behind it. Offsets belong to the
assignment their records were fetched under and end with it: a broker that began anew would take old ones, and records
would be skipped (docs/decisions/embedded-broker.md).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Protocol

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.bus import offsets
from shared.bus.inbox import Inbox, Read, Record
from shared.bus.metrics import BusMetrics
from shared.observability import log

LARGEST_BATCH: Final = 500
_SLICE: Final = 50
"""Records read between two looks at what the batch at work is waiting for."""
_POLL_MS: Final = 1_000
_AFTER_A_FAILURE: Final = 0.5
"""Seconds before a batch that failed is fetched again."""
_LAST_COMMIT: Final = 3.0
"""Seconds offsets have when told to stop; after that their records come again."""

Fetched = Sequence[ConsumerRecord[Any, Any]]
Commit = Callable[[Any, Mapping[TopicPartition, int]], Awaitable[None]]
"""Keeps offsets of a consumer as the next to be read."""


class Consumer(Protocol):
    """What is needed of aiokafka's consumer."""

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Mapping[TopicPartition, Fetched]:
        """What was fetched and not handed out yet."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read from here next."""


class _Batch:
    """Records fetched under one assignment, what the inbox made of them, and where they begin and end."""

    def __init__(self, assignment: int) -> None:
        self.begin_anew(assignment)

    def begin_anew(self, assignment: int) -> None:
        """Hold nothing yet."""
        self.assignment = assignment
        self.records: list[Record] = []
        self.read = Read([], [])
        self.begins: dict[TopicPartition, int] = {}
        self.ends: dict[TopicPartition, int] = {}

    def add(self, place: TopicPartition, fetched: Fetched, inbox: Inbox) -> None:
        """Add records of one partition, in their order."""
        records = [
            Record(one.topic, one.partition, one.offset, one.key, one.value, tuple(one.headers)) for one in fetched
        ]
        self.begins.setdefault(place, records[0].offset)
        self.ends[place] = records[-1].offset + 1
        self.records += records
        readable, unreadable = inbox.read(records)
        self.read.readable.extend(readable)
        self.read.unreadable.extend(unreadable)


class Consumption(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Takes one consumer's records to the inbox, batch after batch, and its offsets back to the broker."""

    def __init__(self, inbox: Inbox, metrics: BusMetrics, commit: Commit = offsets.commit) -> None:
        self._inbox = inbox
        self._metrics = metrics
        self._keep = commit
        self._log = log(__name__)
        self._assignment = 0
        self._reached: dict[TopicPartition, int] = {}
        self._committing: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._stopping = False

    async def take(self, consumer: Consumer, fetched: Fetched) -> None:
        """Let these records take effect, and all that come after them, until told to stop.

        :raises Exception: a batch did not take effect; it will be fetched again.
        """
        batch = _Batch(self._assignment)
        try:
            for place, records in groupby(fetched, lambda one: TopicPartition(one.topic, one.partition)):
                batch.add(place, list(records), self._inbox)
            while not self._stopping:
                if batch.records:
                    batch = await self._effect(consumer, batch)
                else:
                    await self._poll(consumer, batch)
        except BaseException as fault:
            self._rewind(consumer, batch)
            if isinstance(fault, Exception):
                self._log.warning("batch handed back", fault=type(fault).__name__)
                await asyncio.sleep(_AFTER_A_FAILURE)
            raise
        await self._committed()

    async def stop(self) -> None:
        """Let the batch at work take effect, and no other."""
        self._stopping = True
        if self._polling is not None:
            self._polling.cancel()
        await self._committed()

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """The group forms anew: offsets reached until now are those of nobody."""
        self._assignment += 1
        self._reached.clear()
        if self._committing is not None:
            self._committing.cancel()
            self._committing = None

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Positions are those that were committed last."""

    async def _effect(self, consumer: Consumer, batch: _Batch) -> _Batch:
        """Let a batch take effect; the next one, fetched and read meanwhile."""
        following = _Batch(self._assignment)
        working = asyncio.create_task(self._work(batch))
        try:
            # It begins first: the next is read while this one waits for the database.
            await asyncio.sleep(0)
            with contextlib.suppress(KafkaError):  # whoever fetches next meets it again
                await self._fetch(consumer, following)
            await working
        except BaseException:
            working.cancel()
            await asyncio.wait([working])
            self._rewind(consumer, following)
            raise
        if batch.assignment == self._assignment:
            self._reached |= batch.ends
            if self._committing is None or self._committing.done():
                self._committing = asyncio.create_task(self._commit(consumer))
        return following if following.assignment == self._assignment else _Batch(self._assignment)

    async def _poll(self, consumer: Consumer, batch: _Batch) -> None:
        # Here rather than in FastStream's loop, which sleeps after a poll that brought nothing.
        self._polling = asyncio.create_task(self._fetch(consumer, batch, _POLL_MS))
        await asyncio.wait([self._polling])
        if not self._polling.cancelled():
            self._polling.result()

    async def _work(self, batch: _Batch) -> None:
        with self._metrics.batch_seconds.time():
            self._metrics.batch_records.observe(len(batch.records))
            await self._inbox.take(batch.records, batch.read)

    async def _fetch(self, consumer: Consumer, batch: _Batch, timeout_ms: int = 0) -> None:
        """Add to a batch what there is, slice by slice, so that the one at work need not wait for all of it."""
        while room := min(_SLICE, LARGEST_BATCH - len(batch.records)):
            try:
                taken = await consumer.getmany(timeout_ms=timeout_ms, max_records=room)
            except KafkaError:
                if batch.records:
                    return
                raise
            if batch.assignment != self._assignment:
                # What it held comes again under this assignment, to whoever has its partition now.
                batch.begin_anew(self._assignment)
            if not taken:
                return
            for place, fetched in taken.items():
                batch.add(place, fetched, self._inbox)
            timeout_ms = 0
            await asyncio.sleep(0)

    def _rewind(self, consumer: Consumer, batch: _Batch) -> None:
        if batch.assignment == self._assignment:
            for place, offset in batch.begins.items():
                consumer.seek(place, offset)

    async def _commit(self, consumer: Consumer) -> None:
        """Commit the offsets reached, until there are no newer ones."""
        while self._reached:
            reached, self._reached = self._reached, {}
            try:
                await self._keep(consumer, reached)
            except Exception as fault:
                # A later commit covers them, or their records come again.
                self._log.warning("offsets were not committed", fault=type(fault).__name__)

    async def _committed(self) -> None:
        if self._committing is not None:
            await asyncio.wait([self._committing], timeout=_LAST_COMMIT)
