"""Scale: what two and four bus workers carry beside one, on four partitions, every trip to the database 5 ms longer."""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

from shared.embedded.broker import PARTITIONS
from tests.bench.consumption.loads import MIXED, ONE_TYPE
from tests.bench.figures import Bar, Figure, Found, Run, WrongEffect, ratio
from tests.bench.ground import TOPICS, Clone, Ground, ground
from tests.bench.scale.members import Members

_EVENTS: Final = 30_000
_DELAY_MS: Final = 5.0
_WORKERS: Final = (1, 2, 4)
_LEFT: Final = "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM held)"


def _named(many: int) -> str:
    return f"{many} worker{'s' if many > 1 else ''}"


async def suite(run: Run) -> Found:
    """Groups of one, two and four processes, each with a database of its own, take the same records in turn."""
    many = run.many(_EVENTS)
    figures: dict[str, dict[str, Figure]] = {
        load.name: {_named(n): Figure(load.name, _named(n), "events/s", many) for n in _WORKERS}
        for load in (ONE_TYPE, MIXED)
    }
    async with ground() as servers, AsyncExitStack() as stack:
        line = await stack.enter_async_context(_longer_line(servers))
        await servers.empty_bus()
        groups: dict[str, Members] = {}
        clones: dict[str, Clone] = {}
        for n in _WORKERS:
            clone = await stack.enter_async_context(servers.clone(MIXED.prepare))
            members = Members(n)
            stack.push_async_callback(members.stop)
            await members.start(line.url(clone), servers.bootstrap, servers.group())
            groups[_named(n)], clones[_named(n)] = members, clone
        bar = run.task("workers join their groups", len(groups))
        for members in groups.values():
            await members.joined(len(TOPICS) * PARTITIONS)
            run.progress.advance(bar)
        notes = [await line.told(clones[_named(1)])]
        bar = run.task("measuring", run.rounds * len(figures) * len(groups))
        busy: list[float] = []
        for n in range(run.rounds):
            for load in (ONE_TYPE, MIXED):
                run.progress.update(bar, description=f"{load.name}: loading the topic")
                await servers.publish(load.records(many), lambda records: None)
                for who in run.turns(list(groups), n):
                    run.progress.update(bar, description=f"{load.name}: {who}")
                    carried, began = line.cpu(), perf_counter()
                    rate, cpu = await groups[who].take(many)
                    busy.append((line.cpu() - carried) / (perf_counter() - began))
                    figures[load.name][who].values.append(rate)
                    figures[load.name][who].cpu.append(cpu)
                    run.progress.advance(bar)
        for who, clone in clones.items():
            left = await clone.looked_up(_LEFT)
            if left != (2 * run.rounds * many, 0):
                raise WrongEffect(f"{who} left {left}")
        notes.append(
            f"The proxy used {statistics.median(busy):.0%} of a core during a measurement, {max(busy):.0%} at most."
        )
    bars = [Bar(name, "times one worker, by two", 1.7, ratio(of, _named(2), _named(1))) for name, of in figures.items()]
    for name, of in figures.items():
        four = statistics.median(ratio(of, _named(4), _named(1)))
        notes.append(f"{name}: four workers carry {four:.2f} times one; two cores are the limit then.")
    return Found([figure for of in figures.values() for figure in of.values()], bars, notes)


@dataclass(frozen=True, slots=True)
class _Line:
    """The proxy between workers and PostgreSQL."""

    port: int
    process: psutil.Process

    def url(self, clone: Clone) -> str:
        """The database, by the longer line."""
        parts = urlsplit(clone.bus_url)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))

    def cpu(self) -> float:
        """Processor seconds of the proxy so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    async def told(self, clone: Clone) -> str:
        """What the line does, measured: a trip with it and without, and trips of many sessions at once."""
        direct, longer = await _trip(clone.bus_url), await _trip(self.url(clone))
        connections = [await asyncpg.connect(self.url(clone)) for _ in range(20)]
        began = perf_counter()
        await asyncio.gather(*(_trips(connection, 20) for connection in connections))
        together = 400 / (perf_counter() - began)
        megabyte = "SELECT length($1::text)"
        began = perf_counter()
        for _ in range(10):
            await connections[0].fetchval(megabyte, "x" * 1_000_000)
        carried = 10 / (perf_counter() - began - 10 * longer)
        for connection in connections:
            await connection.close()
        return (
            f"A trip to the database takes {longer * 1e3:.1f} ms with the proxy, {direct * 1e3:.2f} ms without; twenty"
            f" sessions at once make {together:,.0f} trips a second, and one sends {carried:,.0f} MB a second."
        )


async def _trip(url: str) -> float:
    connection = await asyncpg.connect(url)
    took = []
    for _ in range(100):
        began = perf_counter()
        await connection.fetchval("SELECT 1")
        took.append(perf_counter() - began)
    await connection.close()
    return statistics.median(took)


async def _trips(connection: asyncpg.Connection[asyncpg.Record], many: int) -> None:
    for _ in range(many):
        await connection.fetchval("SELECT 1")


@asynccontextmanager
async def _longer_line(servers: Ground) -> AsyncIterator[_Line]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.scale.proxy",
        "--target",
        str(servers.postgres.port),
        "--delay-ms",
        str(_DELAY_MS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield _Line(int(await process.stdout.readline()), psutil.Process(process.pid))
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
