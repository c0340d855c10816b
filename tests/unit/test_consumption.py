"""A consumer's way through its partitions, beside a broker and an inbox of lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from prometheus_client import CollectorRegistry

from shared.bus.consumption import Consumption
from shared.bus.inbox import Inbox, Read, Record
from shared.bus.metrics import BusMetrics
from shared.bus.subscriptions import Subscriptions
from shared.database import Database

_FIRST, _SECOND = TopicPartition("walks.v1", 0), TopicPartition("walks.v1", 1)


class _Consumer:
    """Two partitions of a log, positions, and offsets committed, in the order they were."""

    def __init__(self, many: int, moved: asyncio.Event) -> None:
        self.many = many
        self.moved = moved
        self.positions = {_FIRST: 0, _SECOND: 0}
        self.committed: list[dict[TopicPartition, int]] = []
        self.commits = asyncio.Event()
        self.commits.set()

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        room = max_records or 1
        for place, position in self.positions.items():
            if (end := min(self.many, position + room)) > position:
                self.positions[place] = end
                self.moved.set()
                return {place: [_at(place, offset) for offset in range(position, end)]}
        await asyncio.sleep(timeout_ms / 1000)
        return {}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        await self.commits.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        self.committed.append(dict(offsets))
        self.moved.set()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    @property
    def reached(self) -> dict[TopicPartition, int]:
        return {place: offset for one in self.committed for place, offset in one.items()}


class _Inbox(Inbox):
    """Keeps what took effect; `before` runs as a batch is about to."""

    def __init__(self, metrics: BusMetrics, before: Callable[[Sequence[Record]], None], moved: asyncio.Event) -> None:
        super().__init__(Database(""), Subscriptions("test"), lambda: datetime.now(UTC), metrics, ())
        self.moved = moved
        self.before = before
        self.effect: list[Record] = []
        self.works = asyncio.Event()
        self.works.set()

    def read(self, records: Iterable[Record]) -> Read:
        return Read([], [])

    async def take(self, records: Sequence[Record], read: Read | None = None) -> None:
        await self.works.wait()
        self.before(records)
        self.effect += records
        self.moved.set()

    def offsets(self, place: TopicPartition) -> list[int]:
        return [one.offset for one in self.effect if one.partition == place.partition]


def _at(place: TopicPartition, offset: int) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord(place.topic, place.partition, offset, 0, 0, b"key", b"{}", None, 3, 2, ())


class _Rig:
    running: asyncio.Task[None]

    def __init__(self, many: int, before: Callable[[Sequence[Record]], None]) -> None:
        metrics = BusMetrics(CollectorRegistry())
        self.moved = asyncio.Event()
        self.consumer = _Consumer(many, self.moved)
        self.inbox = _Inbox(metrics, before, self.moved)
        self.consumption = Consumption(self.inbox, metrics, _Consumer.commit)

    async def run(self) -> None:
        """As FastStream's loop does: fetch, hand over, and swallow what comes back."""
        while True:
            fetched = await self.consumer.getmany(timeout_ms=5, max_records=500)
            if records := [one for of in fetched.values() for one in of]:
                try:
                    await self.consumption.take(self.consumer, records)
                except Exception:  # what FastStream does with it
                    continue
                return

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self.moved.clear()
                await self.moved.wait()


@asynccontextmanager
async def _running(many: int, before: Callable[[Sequence[Record]], None] = lambda _: None) -> AsyncIterator[_Rig]:
    rig = _Rig(many, before)
    rig.running = asyncio.create_task(rig.run())
    try:
        yield rig
    finally:
        await rig.consumption.stop()
        rig.running.cancel()
        await asyncio.wait([rig.running])


async def test_every_record_takes_effect_once_and_in_the_order_of_its_partition() -> None:
    """Nothing is missed between the batch at work and the one read behind it, and all offsets are committed."""
    async with _running(1_700) as rig:
        await rig.until(lambda: rig.consumer.reached == {_FIRST: 1_700, _SECOND: 1_700})
        assert rig.inbox.offsets(_FIRST) == rig.inbox.offsets(_SECOND) == list(range(1_700))


async def test_a_batch_that_fails_comes_again_with_all_that_was_read_behind_it() -> None:
    """What was fetched while it failed is not lost, and does not overtake it."""
    failures = iter([False, True, True, False, True])

    def fail(records: Sequence[Record]) -> None:
        if next(failures, False):
            raise ConnectionError

    async with _running(1_700, fail) as rig:
        await rig.until(lambda: rig.consumer.reached == {_FIRST: 1_700, _SECOND: 1_700})
        assert rig.inbox.offsets(_FIRST) == rig.inbox.offsets(_SECOND) == list(range(1_700))


async def test_offsets_are_never_those_of_records_that_have_not_taken_effect() -> None:
    """What was only read ahead is fetched again by whoever comes after a crash."""
    seen: list[bool] = []

    async with _running(2_000) as rig:

        def look(records: Sequence[Record]) -> None:
            reached = rig.consumer.reached
            seen.append(all(reached.get(place, 0) <= len(rig.inbox.offsets(place)) for place in (_FIRST, _SECOND)))
            rig.inbox.works.set()

        rig.inbox.before = look
        await rig.until(lambda: rig.consumer.reached == {_FIRST: 2_000, _SECOND: 2_000})
    assert len(seen) >= 8
    assert all(seen)


async def test_a_slow_commit_of_offsets_holds_up_no_batch_and_only_the_last_is_made() -> None:
    """Offsets follow as they can: the newest in one commit, never older ones after newer."""
    async with _running(2_000) as rig:
        rig.consumer.commits.clear()
        await rig.until(lambda: len(rig.inbox.effect) == 4_000)
        assert rig.consumer.committed == []
        rig.consumer.commits.set()
        await rig.until(lambda: rig.consumer.reached == {_FIRST: 2_000, _SECOND: 2_000})
        assert len(rig.consumer.committed) == 2


async def test_offsets_end_with_their_assignment() -> None:
    """The group formed anew while a batch was at work: its offsets are not committed, and what was read is dropped."""
    async with _running(600) as rig:
        rig.inbox.works.clear()
        await rig.until(lambda: rig.consumer.positions[_SECOND] > 0)
        rig.consumption.on_partitions_revoked({_FIRST, _SECOND})
        rig.consumer.positions = {_FIRST: 600, _SECOND: 600}
        rig.inbox.works.set()
        await rig.until(lambda: len(rig.inbox.effect) >= 500)
        await rig.consumption.stop()
        assert rig.consumer.committed == []
        assert len(rig.inbox.effect) == 500


async def test_offsets_that_wait_to_be_committed_end_with_their_assignment_too() -> None:
    """A commit that could not be made before the group formed anew is not made after it."""
    async with _running(1_000) as rig:
        rig.consumer.commits.clear()
        await rig.until(lambda: len(rig.inbox.effect) == 2_000)
        rig.consumption.on_partitions_revoked({_FIRST, _SECOND})
        rig.consumer.commits.set()
        rig.consumer.positions = {_FIRST: 1_000}
        rig.consumer.many = 1_100
        await rig.until(lambda: bool(rig.consumer.committed))
        assert rig.consumer.reached == {_FIRST: 1_100}


async def test_a_stop_lets_the_batch_at_work_take_effect_and_no_other() -> None:
    """And its offsets are committed before the consumer is let go of."""
    async with _running(2_000) as rig:
        rig.inbox.works.clear()
        await rig.until(lambda: rig.consumer.positions[_FIRST] == 1_000)
        stopping = asyncio.create_task(rig.consumption.stop())
        await asyncio.sleep(0)
        rig.inbox.works.set()
        await stopping
        await rig.running
        assert rig.consumer.reached == {_FIRST: 500}
        assert rig.inbox.offsets(_FIRST) == list(range(500))
