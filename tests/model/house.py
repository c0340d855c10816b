"""One service on a database of its own and the simulated broker: what the explorations run, stop and look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from prometheus_client import CollectorRegistry

from shared.bus.inbox import Inbox
from shared.bus.metrics import BusMetrics
from shared.bus.outbox import QUERIES
from shared.bus.relay import Relay
from shared.contracts.envelope import Event
from shared.database import Database
from tests.model import invariants
from tests.model.broker import Member, SimulatedBroker, SimulatedPublisher
from tests.model.events import FORCE, READ, SERVICE, TABLES, TOPICS, Handlers, decide
from tests.model.invariants import Broken, Known, Seen
from tests.model.loop import SimulatedTime
from tests.model.process import Process, connections_belong_to_processes

T = TypeVar("T")

_FORCES = (FORCE, "metropolitan")
_EMPTY = ("effect", "fact", "parent", "held", "inbox", "outbox_pending", "outbox_log", "outbox_key", "relay_bus")


class Service:
    """The parts of one process of the service: relay, inbox, and its place in the consumer group.

    :param process: what it runs as and may die as; None: nothing befalls it, and it uses the house's own connections.
    """

    def __init__(self, house: House, process: Process | None) -> None:
        self.house = house
        self.process = process
        self.database = Database(house.bus_url, largest=2) if process else house.hand
        handlers = Handlers(mended=house.mended, new_reader=house.new_reader)
        self.inbox = Inbox(self.database, handlers.subscriptions(), house.clock, house.metrics, _FORCES)
        self.relay = Relay(
            database_url=house.bus_url,
            forces=(*_FORCES, "unknown"),
            bootstrap="",
            source=f"/{SERVICE}",
            metrics=house.metrics,
            idempotent=False,
            publisher=lambda: SimulatedPublisher(house.broker),
        )
        self._member: Member | None = None

    @property
    def member(self) -> Member:
        """Its consumer, which joins the group when it is first asked for."""
        if self._member is None:
            self._member = Member(self.house.broker, self.inbox, self.house.metrics, READ)
        return self._member

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Do something as this process; None if it died on the way."""
        return await (self.process.run(work) if self.process else work())

    async def append(self, events: Sequence[Event]) -> None:
        """What a web command does."""
        async with self.database.transaction([FORCE]) as tx:
            await decide(tx, events, self.house.clock())

    async def relay_all(self) -> None:
        """Let the relay run until nothing is pending on the bus that is there."""
        stopping = asyncio.Event()
        running = asyncio.get_running_loop().create_task(self.relay.run(stopping))
        self._tasks.add(running)
        try:
            for _ in range(400):
                if running.done() or await self.house.all_published():
                    break
                await asyncio.wait([running], timeout=0.25)
            else:
                raise Broken("the relay does not come to rest")
        finally:
            stopping.set()
            await running

    async def relay_for(self, seconds: float) -> None:
        """Let the relay run for a while."""
        stopping = asyncio.Event()
        running = asyncio.get_running_loop().create_task(self.relay.run(stopping))
        self._tasks.add(running)
        try:
            await asyncio.wait([running], timeout=seconds)
        finally:
            stopping.set()
            await running

    async def consume_all(self, most: int = 500) -> None:
        """Read until nothing is left that this member may read."""
        await self.member.consume(self._tasks, most)

    async def consume_for(self, seconds: float, most: int = 500) -> None:
        """Read for a while."""
        await self.member.consume(self._tasks, most, seconds)

    @property
    def _tasks(self) -> set[asyncio.Task[Any]]:
        return self.process.tasks if self.process else set()

    async def gone(self) -> None:
        """Killed, if it was not yet; returns when its connections are gone from the server as well."""
        if self._member is not None:
            self._member.leave()
            self._member = None
        process = self.process
        if process is None:
            return
        process.die()
        for task in process.tasks:
            task.cancel()
        # What it leaves behind has no effect: its connections are closed and every place ends it.
        await asyncio.gather(*process.tasks, return_exceptions=True)
        process.tasks.clear()
        while process.pids and await self.house.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = ANY ($1::int[])",
            list(process.pids),
        ):
            pass


class House:
    """The database, the broker and the clock that the processes of one run share."""

    def __init__(self, bus_url: str, admin_url: str) -> None:
        self.bus_url = bus_url
        self._admin_url = admin_url
        self.metrics = BusMetrics(CollectorRegistry())
        self.hand = Database(bus_url, largest=4)
        """Of whatever sets a run up or puts it right again; its connections last over the runs."""
        self.loop = SimulatedTime()
        self.broker = SimulatedBroker(TOPICS)
        self.known = Known(set(), set())
        self.services: list[Service] = []
        self.offset = self._furthest = timedelta(0)
        self.mended = False
        self.new_reader = False
        self._asking = asyncio.Lock()
        self._resets = 0

    def open(self) -> None:
        self.run(self._prepare())

    def close(self) -> None:
        self.run(self._end())
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        with connections_belong_to_processes():
            return self.loop.run_until_complete(work)

    async def _prepare(self) -> None:
        self._admin: asyncpg.Connection[Any] = await asyncpg.connect(self._admin_url)
        await self._admin.execute(TABLES)
        await self.hand.open()

    async def _end(self) -> None:
        await self.bury()
        await self.hand.close()
        await self._admin.close()

    def step_clock(self, seconds: float) -> None:
        """The clock is set forward or back."""
        self.offset += timedelta(seconds=seconds)
        self._furthest = max(self._furthest, self.offset)

    def clock(self) -> datetime:
        """The injected clock of every process: the real one, and how far it was stepped."""
        return datetime.now(UTC) + self.offset

    async def ask(self, statement: str, *arguments: Any) -> Any:
        """The first value of a statement, run as a bystander who sees everything."""
        async with self._asking:
            return await self._admin.fetchval(statement, *arguments)

    async def fresh(self) -> None:
        """Begin a run: nothing stands in the database, the broker has a new life, nobody runs."""
        await self.bury()
        self._resets += 1
        if self._resets % 200 == 0:
            await self._admin.execute(f"TRUNCATE {', '.join(_EMPTY)}")
        else:
            await self._admin.execute("; ".join(f"DELETE FROM {table}" for table in _EMPTY))  # noqa: S608  # names of ours
        self.broker = SimulatedBroker(TOPICS)
        self.known = Known(set(), set())
        self.offset = self._furthest = timedelta(0)
        self.mended = self.new_reader = False

    async def service(self, name: str = "service") -> Service:
        """A process just started."""
        process = Process(name)
        started = Service(self, process)
        self.services.append(started)
        await process.run(started.database.open)
        return started

    def healthy(self) -> Service:
        """What a process does that nothing befalls."""
        return Service(self, None)

    async def bury(self) -> None:
        """Whoever still runs is killed."""
        while self.services:
            await self.services.pop().gone()

    async def publish(self) -> None:
        """Put what is pending on the bus, where the relay is not what is looked at."""
        publisher = SimulatedPublisher(self.broker)
        bus_id = await publisher.start()
        async with self.hand.transaction(_FORCES) as tx:
            rows = await tx.fetch(QUERIES.next_pending, [], 1000)
            await publisher.publish(f"/{SERVICE}", rows)
            await tx.run(QUERIES.forget_pending, [row["position"] for row in rows])
            await tx.run(QUERIES.keep_bus_id, bus_id)

    async def all_published(self) -> bool:
        found: bool = await self.ask(
            "SELECT NOT EXISTS (SELECT FROM outbox_pending) AND EXISTS (SELECT FROM relay_bus WHERE bus_id = $1)",
            self.broker.life.id,
        )
        return found

    async def blocked(self, process: Process) -> bool:
        """Whether a trip of this process waits for a lock that another holds."""
        found: bool | None = await self.ask(
            "SELECT bool_or(cardinality(pg_blocking_pids(pid)) > 0) FROM unnest($1::int[]) AS p (pid)",
            list(process.pids),
        )
        return bool(found)

    async def until_still(self, service: Service) -> bool:
        """Wait until a process has finished, pauses, or waits for the lock of another; whether it has finished."""
        process = service.process
        assert process is not None
        for other in self.services:
            if other.process:
                other.process.expect_answer()
        while not process.finished:
            if process.pausing:
                return False
            for other in self.services:
                if other.process and other.process.calling > other.process.unreal and await self.blocked(other.process):
                    other.process.wait_for_lock()
            if process.calling and process.calling == process.unreal:
                return False
            await self.loop.a_moment()
        return True

    async def look(self) -> Seen:
        return invariants.seen(await self.ask(invariants.SEE))

    async def check(self) -> Seen:
        """The invariants that hold at every moment."""
        now = await self.look()
        invariants.always(now, self.broker, self.known)
        return now

    async def check_quiet(self) -> Seen:
        """The invariants that hold when nothing is left to do."""
        now = await self.look()
        invariants.when_quiet(now, self.broker, self.known)
        return now

    async def until_quiet(self, service: Service) -> Seen:
        """Relay, consume and sweep with a process until none of it changes anything."""
        before: tuple[int, ...] = ()
        for _ in range(12):
            if not await self.all_published():
                await service.relay_all()
            await service.consume_all()
            # Later than any pause between two tries, whatever the clock was when it began.
            self.offset = self._furthest = self._furthest + timedelta(seconds=61)
            await service.inbox.sweep()
            now = await self.look()
            if now.progress == before and not now.pending:
                return now
            before = now.progress
        raise Broken("the house does not come to rest")

    async def recover(self) -> Seen:
        """Whoever still runs is killed; a new process takes over until all is quiet, and everything must hold."""
        await self.bury()
        service = self.healthy()
        await self.until_quiet(service)
        await service.gone()
        return await self.check_quiet()

    async def heal(self) -> Seen:
        """People mend what is at fault and ask for what is parked, until every event has taken effect."""
        await self.bury()
        self.mended = self.new_reader = True
        service = self.healthy()
        for _ in range(8):
            now = await self.until_quiet(service)
            await self.check()
            effects = {id_ for _, _, id_ in now.effects}
            orphans = sorted({one.place[1] for one in now.held if one.why == "awaiting"} - now.parents)
            if now.held:
                await self.discard(
                    [one.position for one in now.held if one.value in self.known.corrupted and one.why == "unreadable"]
                )
                await self.appear(orphans)
                await self.retry_parked()
                continue
            left = [event for event in now.log if event.place[0] in READ and event.id not in effects]
            if any(event.id not in self.known.given_up for event in left):
                raise Broken(f"{len(left)} events never took effect")
            await service.gone()
            return await self.check_quiet()
        raise Broken("not everything can be healed")

    async def appear(self, parents: Sequence[str]) -> None:
        """Parents that a web command makes; no event tells of them."""
        await self.ask("INSERT INTO parent SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING", FORCE, parents)

    async def retry_parked(self, *, first: bool = False) -> None:
        """A person asks for everything parked, or for the first of it."""
        positions = await self.ask(
            "SELECT coalesce(array_agg(position ORDER BY position), '{}') FROM held"
            " WHERE why IN ('unreadable', 'failed')"
        )
        positions = positions[:1] if first else positions
        await self.ask(QUERIES.retry_parked.sql, positions)

    async def discard(self, positions: Sequence[int]) -> None:
        """A person gives these parked records up."""
        now = await self.look()
        if positions:
            await self.ask(QUERIES.discard_parked.sql, list(positions))
        self.known.given_up |= {
            one.id
            for one in now.held
            if one.position in positions and one.id is not None and one.value not in self.known.corrupted
        }


KEYS = [UUID(int=n + 1, version=4) for n in range(8)]
