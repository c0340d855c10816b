"""How soon after the commit: an event appended and committed, until a consumer has it, beside a bare round trip.

Everything runs in this process, as in a service's: what appends, relay, consumers. The bare round trip is a record
given to a producer of aiokafka until the same consumer has it. Idle, the three take turns at random moments, so that
they meet the same machine. At load both follow a timetable that was made before, and a record's time counts from
when it was due, appending and committing included: whoever falls behind shows it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Final
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from prometheus_client import CollectorRegistry

from shared.bus import outbox
from shared.bus.broker import Bus
from shared.bus.inbox import Inbox
from shared.bus.metrics import BusMetrics
from shared.bus.outbox import Fact
from shared.bus.subscriptions import Outcome, Subscriptions
from shared.contracts.envelope import Event, Received
from shared.contracts.referrals import ReferralMade
from shared.contracts.walks import WalkCompleted
from shared.database import Database, Transaction
from shared.runtime import settle
from tests.bench.consumption.loads import FORCE, ONE_TYPE
from tests.bench.figures import Bar, Figure, Found, Run, WrongEffect, ratio
from tests.bench.ground import POLICIES, SERVICE, Ground, Stopwatch, ground
from tests.bench.relay import bare, ours
from tests.bench.relay.brokers import Broker, apache, embedded
from tests.bench.relay.loads import TOPIC, load

BARE: Final = "bare produce to consume (ceiling)"
OURS: Final = "commit to consumer"
ASKED: Final = "asking for the commit to consumer"
HANDLED: Final = "commit to handler"
_SAMPLES: Final = 500
_GAP: Final = (0.005, 0.009)
"""Seconds between two events; of each of the three contestants one comes every 15 to 27 ms."""
_LOADED_SECONDS: Final = 1.5
_TOGETHER: Final = 100
"""Events of one commit, under load."""
_WARM: Final = 25
_FETCH_WAITS_MS: Final = 10
"""The embedded broker answers a fetch that found nothing when its time is up, not when something comes: with the
default (500 ms) both ways would only measure that."""
_LONGEST: Final = 60.0


async def suite(run: Run) -> Found:
    """Idle and at half of what the relay publishes here, on each broker."""
    figures: list[Figure] = []
    bars: list[Bar] = []
    notes: list[str] = []
    async with ground() as servers, apache(servers, [TOPIC, WalkCompleted.topic]) as kafka:
        for broker in (embedded(servers), kafka):
            if isinstance(broker, str):
                notes.append(broker)
                continue
            task = run.task(f"{broker.name}: what is carried at most", 1)
            await broker.renew()
            async with _scene(servers, broker) as scene:
                await scene.take_turns(_WARM)
                settle()
                rate = round(await scene.carries(run.many(10_000)) / 2, -2)
                run.progress.advance(task)
                idle, loaded = f"{broker.name}, idle", f"{broker.name}, {rate:,.0f} events/s"
                found = {
                    (when, part, who): Figure(f"{when}, {part}", who, "ms", many)
                    for when, many, whos in (
                        (idle, run.many(_SAMPLES), (BARE, OURS, ASKED, HANDLED)),
                        (loaded, round(rate * _LOADED_SECONDS), (BARE, OURS)),
                    )
                    for part in ("p50", "p99")
                    for who in whos
                }
                await _rounds(run, scene, broker, found, idle, loaded, rate)
            figures += found.values()
            for part, limit in (("p50", 3.0), ("p99", 5.0)):
                of_part = {who: figure for (when, which, who), figure in found.items() if (when, which) == (idle, part)}
                bars.append(
                    Bar(f"{idle}, {part}", "times the bare round trip", limit, ratio(of_part, OURS, BARE), "at most")
                )
    return Found(figures, bars, notes)


async def _rounds(
    run: Run,
    scene: _Scene,
    broker: Broker,
    found: dict[tuple[str, str, str], Figure],
    idle: str,
    loaded: str,
    rate: float,
) -> None:
    bar = run.task(f"{broker.name}: latency", run.rounds * 3)

    def keep(when: str, taken: dict[str, list[float]]) -> None:
        for who, values in taken.items():
            found[(when, "p50", who)].values.append(median(values) * 1000)
            found[(when, "p99", who)].values.append(quantiles(values, n=100)[98] * 1000)
        run.progress.advance(bar)

    for n in range(run.rounds):
        await scene.take_turns(_WARM)
        settle()
        keep(idle, await scene.take_turns(run.many(_SAMPLES)))
        for who in run.turns([BARE, OURS], n):
            keep(loaded, {who: await scene.at_rate(who, rate)})


@dataclass(slots=True)
class _Scene:
    """Two ways to the same consumer, one to a handler, and when what was due and came."""

    database: Database
    producer: AIOKafkaProducer
    arrived: dict[UUID, float] = field(default_factory=dict)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take_turns(self, samples: int) -> dict[str, list[float]]:
        """Each of the three once, in any order, with random pauses; and again. Seconds of each."""
        clock = perf_counter
        ways: dict[str, Callable[[], Awaitable[tuple[UUID, float, float]]]] = {
            BARE: self._produce_one,
            OURS: lambda: self._append_one(_referral()),
            HANDLED: lambda: self._append_one(next(ONE_TYPE.events(1))),
        }
        asked: dict[UUID, float] = {}
        began: dict[str, dict[UUID, float]] = {who: {} for who in ways}

        async def send(who: str) -> None:
            key, asked[key], began[who][key] = await ways[who]()

        under_way: list[asyncio.Task[None]] = []
        at = clock()
        for _ in range(samples):
            for who in random.sample(list(ways), len(ways)):
                under_way.append(asyncio.create_task(send(who)))
                at += random.uniform(*_GAP)
                await asyncio.sleep(max(0.0, at - clock()))
        await asyncio.gather(*under_way)
        for of_who in began.values():
            await self._until_here(of_who)
        seconds = {who: [self.arrived[key] - at for key, at in of_who.items()] for who, of_who in began.items()}
        return seconds | {ASKED: [self.arrived[key] - asked[key] for key in began[OURS]]}

    async def at_rate(self, who: str, rate: float) -> list[float]:
        """Follow a timetable; seconds of each event from the moment it was due."""
        clock = perf_counter
        groups = [[_referral() for _ in range(_TOGETHER)] for _ in range(round(_LOADED_SECONDS * rate / _TOGETHER))]
        due: dict[UUID, float] = {}
        under_way: list[asyncio.Task[None]] = []
        first = clock() + 0.05
        for n, events in enumerate(groups):
            at = first + n * _TOGETHER / rate
            await asyncio.sleep(max(0.0, at - clock()))
            due.update((event.key, at) for event in events)
            # Not awaited: the next is due whether or not this one has got through.
            under_way.append(asyncio.create_task(self._produce(events) if who == BARE else self._append(events)))
        await asyncio.gather(*under_way)
        await self._until_here(due)
        return [self.arrived[key] - at for key, at in due.items()]

    async def carries(self, many: int) -> float:
        """Events a second from append to consumer, as fast as they get through."""
        left = [[_referral() for _ in range(_TOGETHER)] for _ in range(many // _TOGETHER)]
        keys = [event.key for events in left for event in events]

        async def work() -> None:
            while left:
                await self._append(left.pop())

        began = perf_counter()
        await asyncio.gather(*(work() for _ in range(4)))
        await self._until_here(keys)
        return len(keys) / (perf_counter() - began)

    async def _until_here(self, keys: Iterable[UUID]) -> None:
        async with asyncio.timeout(_LONGEST):
            for key in keys:
                while key not in self.arrived:
                    self.came.clear()
                    await self.came.wait()

    async def _produce_one(self) -> tuple[UUID, float, float]:
        event = _referral()
        at = perf_counter()
        await self._produce([event])
        return event.key, at, at

    async def _produce(self, events: Sequence[Event]) -> None:
        sent = [
            await self.producer.send(TOPIC, value, key, headers=_HEADERS)
            for key, value in [(str(event.key).encode(), event.model_dump_json().encode()) for event in events]
        ]
        await asyncio.gather(*sent)

    async def _append_one(self, event: Event) -> tuple[UUID, float, float]:
        """Its key, when the commit was asked for, and when it was there."""
        async with self.database.transaction([FORCE]) as tx:
            await outbox.append(tx, [Fact(event, FORCE, datetime.now(UTC))])
            asked = perf_counter()
        return event.key, asked, perf_counter()

    async def _append(self, events: Sequence[Event]) -> None:
        now = datetime.now(UTC)
        async with self.database.transaction([FORCE]) as tx:
            await outbox.append(tx, [Fact(event, FORCE, now) for event in events])

    def arrive(self, key: UUID) -> None:
        self.arrived[key] = perf_counter()
        self.came.set()


@asynccontextmanager
async def _scene(servers: Ground, broker: Broker) -> AsyncIterator[_Scene]:
    async with AsyncExitStack() as stack:
        clone = await stack.enter_async_context(servers.clone())
        database = Database(clone.bus_url)
        await database.open()
        stack.push_async_callback(database.close)
        producer = bare.durable_producer(broker)
        await producer.start()
        stack.push_async_callback(producer.stop)
        scene = _Scene(database, producer)
        consumer = AIOKafkaConsumer(
            TOPIC, bootstrap_servers=broker.bootstrap, group_id=None, fetch_max_wait_ms=_FETCH_WAITS_MS
        )
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        await stack.enter_async_context(_running(_consume(consumer, scene)))
        await stack.enter_async_context(_handling(servers, broker, database, scene))
        await stack.enter_async_context(ours.relaying(clone, broker, Stopwatch(1)))
        yield scene


async def _consume(consumer: AIOKafkaConsumer, scene: _Scene) -> None:
    async for record in consumer:
        scene.arrive(UUID(record.key.decode()))


@asynccontextmanager
async def _handling(servers: Ground, broker: Broker, database: Database, scene: _Scene) -> AsyncIterator[None]:
    """The bus of a service with a handler that notes when it was called."""
    metrics = BusMetrics(CollectorRegistry())
    subscribe = Subscriptions(SERVICE)

    async def seen(tx: Transaction, received: Sequence[Received[Any]], now: datetime) -> Outcome | None:
        for one in received:
            scene.arrive(one.event.key)
        return None

    subscribe.to(WalkCompleted, seen)
    inbox = Inbox(database, subscribe, lambda: datetime.now(UTC), metrics, POLICIES.forces)
    bus = Bus(
        bootstrap=broker.bootstrap,
        subscriptions=subscribe,
        inbox=inbox,
        metrics=metrics,
        group=servers.group(),
        embedded=not broker.idempotent,
    )
    stopping = asyncio.Event()
    running = asyncio.create_task(bus.run(stopping))
    try:
        while not bus.ready:  # noqa: ASYNC110  # a bus says that it is ready in a property, as readiness asks for it
            await asyncio.sleep(0.05)
        yield
    finally:
        stopping.set()
        await running


@asynccontextmanager
async def _running(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
        if task.done():
            raise WrongEffect(f"the consumer stopped: {task.exception()}")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _referral() -> ReferralMade:
    return ReferralMade(
        concern_id=uuid4(),
        referral_id=uuid4(),
        partner_id="bristol-city-council",
        partner_name="Bristol City Council",
        respond_by=datetime.now(UTC).date(),
    )


_HEADERS: Final = load(1).records[0][3]
