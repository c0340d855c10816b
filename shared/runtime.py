"""How every service runs: settings, roles, pages and bus in one process or apart, a stop that loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

import uvicorn
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from shared import audit
from shared.bus.broker import Bus
from shared.bus.erasure import Forget, Ledger
from shared.bus.inbox import UNKNOWN_FORCE, Inbox
from shared.bus.metrics import BusMetrics
from shared.bus.outbox import QUERIES
from shared.bus.relay import Relay
from shared.bus.subscriptions import Subscriptions
from shared.bus.topics import Topics, create_missing
from shared.contracts.asyncapi import document
from shared.contracts.refusals import Refusal
from shared.database import TRANSIENT, Database
from shared.observability import configure_logging, log
from shared.policies import Policies, PolicyFault
from shared.provisioning import migrations_needed
from shared.retention import Retention, RetentionMetrics, Take
from shared.sendings import Sender
from shared.settings import ServiceSettings, complaints
from shared.timers import TimerLoop, Timers
from shared.web.app import create_app
from shared.web.http import Bounded
from shared.web.pages import Pages

S = TypeVar("S", bound=ServiceSettings)
Channel = Callable[[str, UUID], Awaitable[None]]

GRACE = 22.0
"""Seconds the bus side has to finish when told to stop; less than what runs a service grants before it kills."""


def utc_now() -> datetime:
    """The clock of a running service; tests give their own."""
    return datetime.now(UTC)


@dataclass
class Dependencies(Generic[S]):
    """What a service's handlers, routes and timers are given. Services add their own in a subclass."""

    settings: S
    policies: Policies
    clock: Callable[[], datetime] = utc_now
    registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=True))
    database: Database = field(init=False)
    """Under the web role: pages and API."""
    bus_database: Database = field(init=False)
    """Under the bus role: subscribers, timers, what leaves for the outside world."""

    def __post_init__(self) -> None:
        self.database = Database(self.settings.database_web_url, largest=self.settings.database_connections)
        self.bus_database = Database(self.settings.database_bus_url, largest=self.settings.database_connections)


def service_app(
    *,
    service: str,
    title: str,
    dependencies: Dependencies[Any],
    routers: Sequence[APIRouter],
    pages: Pages,
    refusals: Mapping[type[Refusal], int],
    subscriptions: Subscriptions,
    forget: Forget,
    timers: Timers | None = None,
    retention: Mapping[str, Take] | None = None,
    channels: Mapping[str, Channel] | None = None,
    on_start: Callable[[], Awaitable[None]] | None = None,
    measure: Callable[[], Awaitable[None]] | None = None,
    force_names: Mapping[str, str] | None = None,
    tidy: Callable[[], Awaitable[None]] | None = None,
    roomy: Mapping[str, int] | None = None,
) -> FastAPI:
    """One service as a web application whose lifespan runs its bus side too, as its settings' roles say.

    `forget` takes the data of somebody erased out of the service's own tables: here for a database that was restored
    from before the erasure, which learns of it from the file of tombstones before it is ready.
    `retention` is what is done with each kind of thing that is past its time (shared/retention.py).
    `on_start` runs in the bus role once its database answers, before anything is taken from the bus (registers,
    published areas); it must be repeatable.
    `measure` runs in the bus role every fifteen seconds: gauges read from the database. `tidy` runs there every hour:
    what is of no use any more goes.
    """
    settings: ServiceSettings = dependencies.settings
    metrics = BusMetrics(dependencies.registry)
    due = timers or Timers()
    kept = Retention(service, dependencies.policies, retention or {}, RetentionMetrics(dependencies.registry))
    kept.on(due)
    ledger = Ledger(settings.data_dir / f"{service}.tombstones")
    inbox = Inbox(dependencies.bus_database, subscriptions, dependencies.clock, metrics, dependencies.policies.forces)
    bus = Bus(
        bootstrap=settings.kafka_bootstrap,
        subscriptions=subscriptions,
        inbox=inbox,
        metrics=metrics,
        embedded=not settings.kafka_idempotent,
    )
    relay = Relay(
        database_url=settings.database_bus_url,
        forces=(*dependencies.policies.forces, "unknown"),
        bootstrap=settings.kafka_bootstrap,
        source=f"/{service}",
        metrics=metrics,
        idempotent=settings.kafka_idempotent,
    )

    migrations = migrations_needed(service)

    remembers = False

    async def ready() -> Mapping[str, bool]:
        nonlocal remembers
        database = await dependencies.database.holds(migrations)
        # What was restored from before an erasure serves nobody until it has learned of it.
        if database and not remembers:
            with contextlib.suppress(*TRANSIENT):
                remembers = not await ledger.missing(dependencies.database, dependencies.policies.forces)
        return {"database": database, "erasures": database and remembers}

    async def remember() -> None:
        await ledger.apply(dependencies.bus_database, dependencies.policies.forces, forget, dependencies.clock())

    async def begin_nights() -> None:
        await kept.start(dependencies.bus_database, dependencies.clock())

    async def bus_ready() -> Mapping[str, bool]:
        if "bus" not in settings.roles:
            return {}
        return {
            "database": await dependencies.bus_database.holds(migrations),
            "consumer": bus.ready,
            "relay": relay.ready,
        }

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.dependencies = dependencies
        await dependencies.database.open()
        await dependencies.bus_database.open()
        stopping = asyncio.Event()
        first: list[Callable[[], Awaitable[None]]] = []
        loops: list[Callable[[asyncio.Event], Awaitable[None]]] = []
        if "bus" in settings.roles:
            first = [partial(_roll_partitions, dependencies), remember, begin_nights]
            if on_start is not None:
                first.append(on_start)
            loops = [
                bus.run,
                relay.run,
                TimerLoop(
                    dependencies.bus_database,
                    due,
                    dependencies.clock,
                    # Of a record whose headers nobody could read the force is unknown: it has to be scrubbed too.
                    (*dependencies.policies.forces, UNKNOWN_FORCE),
                ).run,
                Sender(
                    dependencies.bus_database,
                    dict(channels or {}),
                    dependencies.clock,
                    dependencies.policies.forces,
                ).run,
                _every(1.0, inbox.sweep),
                _every(5.0, lambda: _measure(dependencies, inbox, metrics)),
                _every(1.0, lambda: _seal(service, dependencies)),
                _every(1.0, lambda: ledger.keep(dependencies.bus_database, dependencies.policies.forces)),
                _every(3600.0, lambda: _roll_partitions(dependencies)),
            ]
            if settings.create_topics:
                topics = Topics.read(settings.forces_dir.parent / "topics.yaml")
                specs = topics.names_for(service, dependencies.policies, one_broker=True)
                loops.append(partial(create_missing, settings.kafka_bootstrap, specs))
            if tidy is not None:
                loops.append(_every(3600.0, tidy))
            if measure is not None:
                loops.append(_every(15.0, measure))
        bus_side = asyncio.create_task(_bus_side(first, loops, dependencies.bus_database, migrations, stopping))
        try:
            yield
        finally:
            stopping.set()
            # With broker and database gone at the same time nothing can be finished; it is done again after the start.
            _, left = await asyncio.wait({bus_side}, timeout=GRACE)
            for task in left:
                log(__name__).warning("stopping with work unfinished")
                task.cancel()
            await dependencies.bus_database.close()
            await dependencies.database.close()

    return create_app(
        service=service,
        title=title,
        settings=settings,
        routers=routers,
        pages=pages,
        refusals=refusals,
        ready=ready,
        bus_ready=bus_ready,
        registry=dependencies.registry,
        lifespan=lifespan,
        asyncapi=lambda: document(service, subscriptions.events),
        forces=dependencies.policies.forces,
        force_names=force_names,
        other_names=settings.other_names,
        roomy=roomy,
    )


async def _bus_side(
    first: Sequence[Callable[[], Awaitable[None]]],
    loops: Sequence[Callable[[asyncio.Event], Awaitable[None]]],
    database: Database,
    migrations: frozenset[str],
    stopping: asyncio.Event,
) -> None:
    """Run the loops, once the database is what this program was written for and holds what it has to hold `first`.

    Before that, sound events would fail on tables that are still to come, and be parked; rows would go to default
    partitions and stay there; and a walk would be in a queue before the officers who may take it are known.
    """
    told = False
    while loops and not stopping.is_set() and not await database.holds(migrations):
        if not told:
            log(__name__).warning("waiting for the database and its migrations")
            told = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.5)
    for work in first:
        await _supervised(_once(work), stopping)
    await asyncio.gather(*(_supervised(loop, stopping) for loop in loops))


async def _supervised(loop: Callable[[asyncio.Event], Awaitable[None]], stopping: asyncio.Event) -> None:
    """Run a loop again when it fails: a fault nobody foresaw must not silently end a part of the service."""
    while not stopping.is_set():
        try:
            await loop(stopping)
            return
        except Exception:
            log(__name__).error("a loop failed and is started again", exc_info=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), 1.0)


def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> Callable[[asyncio.Event], Awaitable[None]]:
    async def loop(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            # The database may be away: the next round looks again.
            with contextlib.suppress(*TRANSIENT):
                await work()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), seconds)

    return loop


def _once(work: Callable[[], Awaitable[None]]) -> Callable[[asyncio.Event], Awaitable[None]]:
    async def loop(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            with contextlib.suppress(*TRANSIENT):
                await work()
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), 1.0)

    return loop


async def _measure(dependencies: Dependencies[Any], inbox: Inbox, metrics: BusMetrics) -> None:
    await inbox.state()
    async with dependencies.bus_database.transaction((*dependencies.policies.forces, "unknown")) as tx:
        row = await tx.fetch_row(QUERIES.outbox_state)
    if row is not None:
        metrics.outbox_waiting.set(row["waiting"])
        oldest = row["oldest"]
        age = (dependencies.clock() - oldest).total_seconds() if oldest else 0.0
        metrics.outbox_age.set(max(0.0, age))


async def _seal(service: str, dependencies: Dependencies[Any]) -> None:
    anchor = dependencies.settings.data_dir / f"{service}.audit-heads"
    await audit.seal(dependencies.bus_database, dependencies.policies.forces, dependencies.clock, anchor)


async def _roll_partitions(dependencies: Dependencies[Any]) -> None:
    async with dependencies.bus_database.transaction(dependencies.policies.forces) as tx:
        await tx.run(QUERIES.roll_partitions, dependencies.clock())


def settle() -> None:
    """Spare the garbage collector what stands now and stays for the life of the process, and small rounds.

    A batch makes thousands of short-lived objects: with the defaults a fifth of the time of consuming went into
    looking through all of them, and everything else, again and again (make bench).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def run(service: str, settings: type[S], build: Callable[[S], FastAPI]) -> None:
    """Read the environment, build the service, serve until told to stop (SIGTERM, SIGINT); drains and commits first.

    Exits 2 with one sentence a variable when the environment is wrong, before anything is started.
    """
    try:
        read = settings()
    except ValidationError as fault:
        sys.stderr.write(f"{service} cannot start:\n{complaints(fault)}\n")
        raise SystemExit(2) from None
    configure_logging(service, read.log_level)
    try:
        app = build(read)
    except PolicyFault as fault:
        sys.stderr.write(f"{service} cannot start:\n{fault}\n")
        raise SystemExit(2) from None
    settle()
    uvicorn.run(
        app,
        host=read.host,
        port=read.port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=Bounded,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # Who asks is read where it is needed, from the header that the settings name.
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
