"""Where everybody runs: one embedded PostgreSQL, one embedded broker, loaded topics, a fresh database a measurement."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time

import asyncpg
from aiokafka import AIOKafkaProducer

from services.feedback.subscribers import subscriptions
from shared.bus.outbox import QUERIES
from shared.database import Database
from shared.embedded.broker import PARTITIONS, EmbeddedBroker
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port
from shared.policies import Policies
from shared.provisioning import LOGINS, login_url, migrate, provision

SERVICE = "feedback"
POLICIES = Policies.read(Path(__file__).parents[2] / "deploy" / "forces")
TOPICS = subscriptions(POLICIES).topics

Recorded = tuple[str, bytes, bytes, list[tuple[str, bytes]]]
"""Topic, key, value and headers of a record, as the relay publishes it."""


@dataclass(slots=True)
class Stopwatch:
    """Runs from the arrival of the first record until the last of `many` has taken effect.

    Joining the consumer group is not measured: on this broker it takes seconds, once.
    """

    many: int
    began: float = 0.0
    ended: float = 0.0
    seen: int = 0
    cpu: float = 0.0
    """Seconds of processor this process has spent; other programs' load does not show in it."""
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def arrived(self) -> None:
        if not self.began:
            self.began = perf_counter()
            self.cpu = -process_time()

    def took_effect(self, records: int) -> None:
        self.seen += records
        if self.seen >= self.many and not self.ended:
            self.ended = perf_counter()
            self.cpu += process_time()
            self.done.set()

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.seen / (self.ended - self.began)


@dataclass(frozen=True, slots=True)
class Clone:
    """A database nobody has used yet."""

    bus_url: str
    admin_url: str

    async def looked_up(self, sql: str) -> tuple[object, ...]:
        """One row, seen by the superuser: what a measurement left behind."""
        connection = await asyncpg.connect(self.admin_url)
        try:
            row = await connection.fetchrow(sql)
            return tuple(row) if row is not None else ()
        finally:
            await connection.close()


class Ground:
    """The two servers."""

    def __init__(self, postgres: EmbeddedPostgres, broker: EmbeddedBroker, passwords: dict[str, str]) -> None:
        self.postgres = postgres
        self.bootstrap = broker.bootstrap
        self._broker = broker
        self.folder = postgres.folder
        self._passwords = passwords
        self._number = itertools.count()

    def group(self) -> str:
        """A consumer group nobody was in: it reads from the beginning."""
        return f"bench-{next(self._number)}-{secrets.token_hex(3)}"

    async def empty_bus(self) -> None:
        """A new life of the broker: empty topics."""
        await asyncio.to_thread(self._broker.stop)
        await asyncio.to_thread(self._broker.start)

    async def load(self, records: Sequence[Recorded], told: Callable[[int], None]) -> None:
        """Put these records, and nothing else, on the bus before anything is measured."""
        # Ours consumes every topic of the service: what another load left there would be measured with this one.
        await self.empty_bus()
        await self.publish(records, told)

    async def publish(self, records: Sequence[Recorded], told: Callable[[int], None]) -> None:
        """Put these records on the bus, behind those that are there."""
        # The embedded broker has no idempotent producer; one connection keeps the order.
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=5)
        await producer.start()
        try:
            for start in range(0, len(records), 1000):
                part = records[start : start + 1000]
                sent = [await producer.send(topic, value, key, headers=headers) for topic, key, value, headers in part]
                await asyncio.gather(*sent)
                told(len(part))
        finally:
            await producer.stop()

    @asynccontextmanager
    async def clone(self, prepare: str = "") -> AsyncIterator[Clone]:
        """A fresh migrated database, dropped afterwards; `prepare` is SQL run by the superuser first."""
        name = f"{SERVICE}_{next(self._number)}"
        admin = await asyncpg.connect(self.postgres.admin_url)
        try:
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {SERVICE} OWNER {SERVICE}_owner")
            try:
                found = self.named(name)
                if prepare:
                    connection = await asyncpg.connect(found.admin_url)
                    await connection.execute(prepare)
                    await connection.close()
                # What the last measurement left to be written must not be written during this one.
                await admin.execute("CHECKPOINT")
                yield found
            finally:
                await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        finally:
            await admin.close()

    def named(self, name: str) -> Clone:
        """The addresses of a database of this server."""
        return Clone(self._url(name), self.postgres.admin_url.rsplit("/", 1)[0] + "/" + name)

    def _url(self, name: str) -> str:
        url = login_url(self.postgres.admin_url, SERVICE, "bus", self._passwords[f"{SERVICE}_bus"])
        return url.rsplit("/", 1)[0] + "/" + name

    async def prepare(self) -> None:
        """Roles, the migrated template, and its partitions as the bus role makes them at start."""
        await provision(self.postgres.admin_url, self._passwords, (SERVICE,))
        owner = login_url(self.postgres.admin_url, SERVICE, "owner", self._passwords[f"{SERVICE}_owner"])
        await asyncio.to_thread(migrate, SERVICE, owner)
        database = Database(self._url(SERVICE))
        await database.open()
        async with database.transaction(POLICIES.forces) as tx:
            await tx.run(QUERIES.roll_partitions, datetime.now(UTC))
        await database.close()


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """Both servers in a folder of their own, gone afterwards."""
    folder = _folder()
    postgres = EmbeddedPostgres(folder / "postgres", free_port())
    broker = EmbeddedBroker(free_port(avoid=[postgres.port]), folder / "broker", dict.fromkeys(TOPICS, PARTITIONS))
    try:
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(broker.start)
        passwords = {f"{SERVICE}_{login}": secrets.token_urlsafe(12) for login in LOGINS}
        found = Ground(postgres, broker, passwords)
        await found.prepare()
        yield found
    finally:
        broker.stop()
        postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    found = Path(tempfile.mkdtemp(prefix="walkandtalk-bench-"))
    found.chmod(0o711)  # a PostgreSQL started by root runs as another user
    return found
