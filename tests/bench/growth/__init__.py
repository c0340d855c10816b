"""Growth: does an event cost the same after years? Consumption beside 0, 1 and 10 million events of history."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

from shared.runtime import settle
from tests.bench.consumption import ours
from tests.bench.figures import Bar, Figure, Found, Run, Unit, WrongEffect, ratio
from tests.bench.ground import Clone, Ground, Stopwatch, ground
from tests.bench.growth.history import ends, forget_the_present, lived_through, room
from tests.bench.growth.loads import Fresh, loads
from tests.bench.growth.spent import Spent, spent

_EVENTS: Final = 24_000
_HISTORIES: Final = (1_000_000, 10_000_000)
_LONGEST: Final = 300.0
EMPTY: Final = "empty"
BARRED: Final = ("one type", "mixed types")
"""Loads that are held against a bar; the third is under random ids, which no index can keep together."""


@dataclass(slots=True)
class _Costs:
    """What one load cost, by how much history lay beneath it."""

    rates: dict[str, Figure] = field(default_factory=dict)
    pages: dict[str, Figure] = field(default_factory=dict)
    log: dict[str, Figure] = field(default_factory=dict)

    def note(self, load: str, who: str, many: int, stopwatch: Stopwatch, cost: Spent) -> None:
        """Keep a measurement. The processor's time beside the pages is the server's, beside the rate our own."""

        def figure(of: dict[str, Figure], unit: Unit) -> Figure:
            return of.setdefault(who, Figure(load, who, unit, many))

        rate, pages = figure(self.rates, "events/s"), figure(self.pages, "pages an event")
        rate.values.append(stopwatch.rate)
        rate.cpu.append(stopwatch.cpu / many)
        pages.values.append(cost.pages / many)
        pages.cpu.append(cost.cpu / many)
        figure(self.log, "bytes an event").values.append(cost.wal / many)


async def suite(run: Run) -> Found:
    """The same fresh records into a new database and into two that have lived through years, one after the other."""
    many = run.many(_EVENTS)
    histories = [events // (40 if run.quick else 1) for events in _HISTORIES]
    end = ends(datetime.now(UTC))
    notes: list[str] = []
    pasts: dict[str, Clone | None] = {EMPTY: None}
    async with ground() as servers:
        room(servers.folder, sum(histories))
        for events in histories:
            bar = run.task(f"writing {events:,} events of history", events)
            clone, size = await lived_through(servers, events, end, partial(run.progress.advance, bar))
            pasts[f"{events:,} events of history"] = clone
            notes.append(
                f"{events:,} events of history: {size / 1e9:.1f} GB on disk, {size / events:,.0f} bytes an event."
            )
        return await _rounds(run, servers, pasts, many, end, notes)


async def _rounds(
    run: Run, servers: Ground, pasts: dict[str, Clone | None], many: int, end: datetime, notes: list[str]
) -> Found:
    costs: dict[str, _Costs] = {}
    bar = run.task("measuring", run.rounds * len(pasts) * 3)
    for n in range(run.rounds):
        for fresh in loads(n, many, end):
            load = fresh.load.name
            run.progress.update(bar, description=f"{load}: loading the topic")
            await servers.load(fresh.records, lambda records: None)
            left: set[tuple[object, ...]] = set()
            for who in run.turns(list(pasts), n):
                run.progress.update(bar, description=f"{load}: {who}")
                stopwatch, cost, effect = await _measure(servers, pasts[who], fresh)
                left.add(effect)
                costs.setdefault(load, _Costs()).note(load, who, many, stopwatch, cost)
                run.progress.advance(bar)
            if len(left) != 1:
                raise WrongEffect(f"{load}: not everybody left the same behind: {left}")
    _, before, longest = pasts
    bars = [
        Bar(load, f"times the time of an event, {longest}", 1.1, ratio(costs[load].rates, EMPTY, longest), "at most")
        for load in BARRED
    ]
    one, mixed = (costs[load].pages for load in BARRED)
    bars += [
        Bar(BARRED[0], f"times the pages of an event, {longest}", 1.1, ratio(one, longest, EMPTY), "at most"),
        Bar(BARRED[1], "times the pages after ten times the history", 1.1, ratio(mixed, longest, before), "at most"),
    ]
    higher = statistics.median(ratio(mixed, longest, EMPTY))
    notes.append(
        f"mixed types: {higher:.2f} times the pages of an event, {longest}: the trees in which concerns and referrals"
        " are looked up are one level higher than empty ones, and stay so for a hundred times the history."
    )
    figures = [figure for of in costs.values() for kind in (of.rates, of.pages, of.log) for figure in kind.values()]
    return Found(figures, bars, notes)


async def _measure(servers: Ground, past: Clone | None, fresh: Fresh) -> tuple[Stopwatch, Spent, tuple[object, ...]]:
    async with _database(servers, past, fresh) as clone:
        before = await spent(servers, clone)
        stopwatch = Stopwatch(len(fresh.records))
        settle()
        async with asyncio.timeout(_LONGEST):
            await ours.consume(servers, clone, fresh.load.topic, stopwatch)
        cost = (await spent(servers, clone)).since(before)
        return stopwatch, cost, await fresh.check(clone)


@asynccontextmanager
async def _database(servers: Ground, past: Clone | None, fresh: Fresh) -> AsyncIterator[Clone]:
    if past is None:
        async with servers.clone(fresh.load.prepare) as clone:
            yield clone
        return
    await forget_the_present(past.admin_url, datetime.now(UTC))
    yield past
