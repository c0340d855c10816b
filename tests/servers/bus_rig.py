"""One service's way out and way in, on a real database and a real broker, with a handler that writes rows."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from prometheus_client import CollectorRegistry

from shared.bus import outbox
from shared.bus.broker import Bus
from shared.bus.inbox import Inbox
from shared.bus.metrics import BusMetrics
from shared.bus.outbox import Fact
from shared.bus.relay import Relay
from shared.bus.subscriptions import Outcome, Subscriptions
from shared.contracts.envelope import Event, Received
from shared.database import Query, Transaction
from shared.embedded.broker import PARTITIONS, EmbeddedBroker
from tests.servers.apache_kafka import ApacheKafka
from tests.servers.databases import ServiceDatabase

FORCE = "avon-and-somerset"
SERVICE = "partners"
PARKED = f"{SERVICE}.parked.v1"

EFFECT = Query(
    "effect",
    "What the handler did, in the order it did it.",
    "INSERT INTO effect (force_id, key, number, event_id)"
    " SELECT * FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::uuid[])",
)
PARENTS = Query("parents", "Parents known.", "SELECT key FROM parent WHERE key = ANY ($1::uuid[])")
NEW_PARENT = Query("new_parent", "A parent.", "INSERT INTO parent SELECT * FROM unnest($1::text[], $2::uuid[])")
TABLES = """
CREATE TABLE effect (
    at bigint GENERATED ALWAYS AS IDENTITY, force_id text NOT NULL, key uuid NOT NULL, number integer NOT NULL,
    event_id uuid NOT NULL, PRIMARY KEY (force_id, at), CHECK (number <> 666)
);
CREATE TABLE parent (force_id text NOT NULL, key uuid NOT NULL, PRIMARY KEY (force_id, key));
CALL force_rows('effect');
CALL force_rows('parent');
"""


@dataclass(frozen=True)
class BusServer:
    """A broker the suite runs on: what it can do, and how it is killed and started."""

    name: str
    bootstrap: str
    idempotent: bool
    kill: Callable[[], None]
    start: Callable[[], None]


class Rig:
    """Topics, events, subscriptions and running loops of one test."""

    def __init__(self, server: BusServer, database: ServiceDatabase, prefix: str) -> None:
        self.server = server
        self.database = database
        topic_one, topic_two, parent_topic = (f"{prefix}-{name}.v1" for name in ("one", "two", "parent"))
        self.topics = (topic_one, topic_two, parent_topic)

        class Counted(Event):
            name: ClassVar[str] = "counted"
            topic: ClassVar[str] = topic_one
            on: UUID
            number: int

            @property
            def key(self) -> UUID:
                return self.on

        class Tallied(Counted):
            name: ClassVar[str] = "tallied"

        class Unheard(Counted):
            """On the same topic, but nobody subscribes to it."""

            name: ClassVar[str] = "unheard"

        class Child(Counted):
            """Takes effect only once its parent, `on`, is known."""

            name: ClassVar[str] = "child"
            topic: ClassVar[str] = topic_two

        class Parent(Counted):
            name: ClassVar[str] = "parent"
            topic: ClassVar[str] = parent_topic

        self.Counted, self.Tallied, self.Unheard, self.Child, self.Parent = Counted, Tallied, Unheard, Child, Parent
        self.calls: list[int] = []
        self.fails_on: set[int] = set()
        self.group = f"{SERVICE}-{prefix}"
        self.members: list[Member] = []

    def subscriptions(self) -> Subscriptions:
        subscribe = Subscriptions(SERVICE)
        subscribe.to(self.Counted, self.count)
        subscribe.to(self.Tallied, self.count)
        subscribe.to(self.Child, self.child)
        subscribe.to(self.Parent, self.parent)
        return subscribe

    async def count(self, tx: Transaction, received: Sequence[Received[Any]], now: datetime) -> Outcome | None:
        self.calls.append(len(received))
        if any(one.event.number in self.fails_on for one in received):
            raise ValueError("refused by the test")
        await tx.run(
            EFFECT,
            [one.force_id for one in received],
            [one.event.on for one in received],
            [one.event.number for one in received],
            [one.id for one in received],
        )
        return None

    async def child(self, tx: Transaction, received: Sequence[Received[Any]], now: datetime) -> Outcome | None:
        known = {row["key"] for row in await tx.fetch(PARENTS, [one.event.on for one in received])}
        await self.count(tx, [one for one in received if one.event.on in known], now)
        return Outcome(awaiting={one.id: one.event.on for one in received if one.event.on not in known})

    async def parent(self, tx: Transaction, received: Sequence[Received[Any]], now: datetime) -> Outcome | None:
        await tx.run(NEW_PARENT, [one.force_id for one in received], [one.event.on for one in received])
        return await self.count(tx, received, now)

    async def append(self, events: Sequence[Event], force: str = FORCE, at: datetime | None = None) -> None:
        """Decide these events, at another moment than now if one is given."""
        async with self.database.web.transaction([force]) as tx:
            await outbox.append(tx, [Fact(event, force, at or datetime.now(UTC)) for event in events])

    def member(self) -> Member:
        """A process of the service: relay, consumer and sweep."""
        return Member(self)

    async def effects(self) -> dict[UUID, list[int]]:
        connection = await asyncpg.connect(self.database.admin_url)
        try:
            found: dict[UUID, list[int]] = {}
            for row in await connection.fetch("SELECT key, number FROM effect ORDER BY at"):
                found.setdefault(row["key"], []).append(row["number"])
            return found
        finally:
            await connection.close()

    async def held(self) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.database.admin_url)
        try:
            return list(await connection.fetch("SELECT * FROM held ORDER BY position"))
        finally:
            await connection.close()

    async def eventually(self, holds: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
        """Wait until something holds; fails when it does not in time."""
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110  # what is awaited happens in a database, which has no event
                await asyncio.sleep(0.05)

    async def until_effects(self, many: int, seconds: float = 60) -> dict[UUID, list[int]]:
        found: dict[UUID, list[int]] = {}

        async def enough() -> bool:
            nonlocal found
            found = await self.effects()
            return sum(map(len, found.values())) >= many

        try:
            await self.eventually(enough, seconds)
        except TimeoutError:
            raise AssertionError(f"{sum(map(len, found.values()))} of {many} took effect in {seconds} s") from None
        return found

    async def produce(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        """What a stranger puts on the bus."""
        producer = AIOKafkaProducer(bootstrap_servers=self.server.bootstrap)
        await producer.start()
        try:
            await producer.send_and_wait(topic, key=key, value=value, headers=list(headers))
        finally:
            await producer.stop()

    async def records(self, topic: str) -> list[Any]:
        """Everything that stands on a topic now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.server.bootstrap, group_id=None)
        await consumer.start()
        try:
            places = [TopicPartition(topic, n) for n in range(PARTITIONS)]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            left = {place: end for place, end in (await consumer.end_offsets(places)).items() if end}
            found: list[Any] = []
            while left:
                for place, batch in (await consumer.getmany(timeout_ms=500)).items():
                    found += batch
                    if batch and batch[-1].offset + 1 >= left.get(place, 0):
                        left.pop(place, None)
            return found
        finally:
            await consumer.stop()


@dataclass
class Member:
    """One process of the service, its loops running in this one."""

    rig: Rig
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        rig = self.rig
        self.metrics = BusMetrics(self.registry)
        self.subscriptions = rig.subscriptions()
        self.inbox = Inbox(
            rig.database.bus, self.subscriptions, lambda: datetime.now(UTC), self.metrics, (FORCE, "metropolitan")
        )
        self.bus = Bus(
            bootstrap=rig.server.bootstrap,
            subscriptions=self.subscriptions,
            inbox=self.inbox,
            metrics=self.metrics,
            group=rig.group,
            embedded=not rig.server.idempotent,
        )
        self.relay = Relay(
            database_url=rig.database.bus_url,
            forces=(FORCE, "metropolitan", "unknown"),
            bootstrap=rig.server.bootstrap,
            source=f"/{SERVICE}",
            metrics=self.metrics,
            idempotent=rig.server.idempotent,
        )

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    @asynccontextmanager
    async def running(self, *, consume: bool = True, relay: bool = True) -> AsyncIterator[Member]:
        stopping = asyncio.Event()

        async def sweep() -> None:
            while not stopping.is_set():
                await self.inbox.sweep()
                await asyncio.sleep(0.1)

        loops = ([self.bus.run(stopping), sweep()] if consume else []) + ([self.relay.run(stopping)] if relay else [])
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            yield self
        finally:
            stopping.set()
            async with asyncio.timeout(30):
                await asyncio.gather(*tasks)


async def make_rig(server: BusServer, database: ServiceDatabase, prefix: str) -> Rig:
    connection = await asyncpg.connect(database.admin_url)
    await connection.execute(TABLES)
    await connection.close()
    return Rig(server, database, prefix)


def topics_of(prefix: str) -> dict[str, int]:
    return {f"{prefix}-{name}.v1": PARTITIONS for name in ("one", "two", "parent")} | {PARKED: PARTITIONS}


def new_prefix() -> str:
    return f"t{secrets.token_hex(4)}"


def embedded_server(broker: EmbeddedBroker) -> BusServer:
    return BusServer("embedded", broker.bootstrap, False, broker.kill, broker.start)


def apache_server(kafka: ApacheKafka) -> BusServer:
    return BusServer("apache", kafka.bootstrap, True, kafka.kill, kafka.start)


async def create_topics(kafka: ApacheKafka, topics: dict[str, int]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1) for name, partitions in topics.items()])
    finally:
        await admin.close()


def some_keys(many: int) -> list[UUID]:
    return [uuid4() for _ in range(many)]
