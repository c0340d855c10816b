"""Consumption with effect: inbox, rows and outbox in one commit, ours against the ceiling and the usual ways."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from typing import Final

from shared.runtime import settle
from tests.bench.consumption import bare, one_call, ours, row_by_row
from tests.bench.consumption.loads import MIXED, MIXED_TWICE, ONE_TYPE, ONE_TYPE_TWICE, Load
from tests.bench.figures import Bar, Figure, Found, Run, WrongEffect, ratio
from tests.bench.ground import Clone, Ground, Stopwatch, ground

Consume = Callable[[Ground, Clone, str, Stopwatch], Awaitable[None]]

_EVENTS: Final = 40_000
_LONGEST: Final = 300.0
OURS: Final = "ours"
CEILING: Final = "bare aiokafka + asyncpg (ceiling)"
AHEAD: Final = "the same, reading ahead by hand"
ROW_BY_ROW: Final = "FastStream, batches, SQL row by row"
ONE_CALL: Final = "idiomatic FastStream, one message a call"
_CONSUME: Final[dict[str, tuple[Consume, int]]] = {
    OURS: (ours.consume, 1),
    CEILING: (bare.consume, 1),
    AHEAD: (bare.consume_ahead, 1),
    ROW_BY_ROW: (row_by_row.consume, 16),
    ONE_CALL: (one_call.consume, 60),
}
"""How each consumes, and what part of the topic: who is slow gets less of it."""


async def suite(run: Run) -> Found:
    """Each contestant consumes the same loaded topic into a fresh clone of feedback's database."""
    whole = run.many(_EVENTS)
    figures: list[Figure] = []
    bars: list[Bar] = []
    notes: list[str] = []
    async with ground() as servers:
        for load, of_ceiling, times_usual in (
            (ONE_TYPE, 0.9, 25.0),
            (MIXED, 0.6, None),
            (ONE_TYPE_TWICE, None, None),
            (MIXED_TWICE, None, None),
        ):
            # A quarter where no bar is held against it: that there are duplicates is to be seen, not waited for.
            found = await _rounds(run, servers, load, whole if of_ceiling else whole // 4)
            figures += found.values()
            for told, other, limit in (
                ("of the ceiling", CEILING, of_ceiling),
                ("of the ceiling reading ahead", AHEAD, None),
                ("times SQL row by row", ROW_BY_ROW, None),
                ("times one message a call", ONE_CALL, times_usual),
            ):
                ratios = ratio(found, OURS, other)
                if limit is not None:
                    bars.append(Bar(load.name, told, limit, ratios))
                else:
                    notes.append(
                        f"{load.name}: {statistics.median(ratios):.2f} {told} ({min(ratios):.2f} to {max(ratios):.2f})"
                    )
    return Found(figures, bars, notes)


async def _rounds(run: Run, ground: Ground, load: Load, whole: int) -> dict[str, Figure]:
    part = {name: whole if of == 1 else max(200, whole // of) for name, (_, of) in _CONSUME.items()}
    figures = {name: Figure(load.name, name, "events/s", many) for name, many in part.items()}
    bar = run.task(f"{load.name}: loading the topic", whole)
    await ground.load(load.records(whole), lambda many: run.progress.advance(bar, many))
    bar = run.task(f"{load.name}: measuring", run.rounds * len(part))
    left: set[tuple[object, ...]] = set()
    for n in range(run.rounds):
        for name in run.turns(list(part), n):
            many = part[name]
            run.progress.update(bar, description=f"{load.name}: {name}")
            stopwatch, effect = await _measure(ground, load, _CONSUME[name][0], many)
            if many == whole:
                left.add(effect)
            if not load.whole(effect) or (many == whole and effect[0] != load.distinct(many)):
                raise WrongEffect(f"{name}, {load.name}: {effect}")
            figures[name].values.append(stopwatch.rate)
            figures[name].cpu.append(stopwatch.cpu / stopwatch.seen)
            run.progress.advance(bar)
    if len(left) != 1:
        raise WrongEffect(f"{load.name}: not everybody left the same behind: {left}")
    return figures


async def _measure(ground: Ground, load: Load, consume: Consume, many: int) -> tuple[Stopwatch, tuple[object, ...]]:
    async with ground.clone(load.prepare) as clone:
        stopwatch = Stopwatch(many)
        # As a service's process does once it is built, for every contestant alike.
        settle()
        async with asyncio.timeout(_LONGEST):
            await consume(ground, clone, load.topic, stopwatch)
        return stopwatch, await clone.looked_up(load.effect)
