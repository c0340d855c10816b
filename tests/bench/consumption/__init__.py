"""Consumption with effect: inbox, rows and outbox in one commit, ours against the ceiling and the usual ways."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from shared.runtime import settle
from tests.bench.consumption import bare, one_call, ours
from tests.bench.consumption.loads import MIXED, ONE_TYPE, Load
from tests.bench.figures import Bar, Figure, Found, Run, WrongEffect, ratio
from tests.bench.ground import Clone, Ground, Stopwatch, ground

Consume = Callable[[Ground, Clone, str, Stopwatch], Awaitable[None]]

_EVENTS: Final = 40_000
_LONGEST: Final = 300.0
OURS: Final = "ours"
CEILING: Final = "bare aiokafka + asyncpg (ceiling)"
ONE_CALL: Final = "idiomatic FastStream, one message a call"


async def suite(run: Run) -> Found:
    """Each contestant consumes the same loaded topic into a fresh clone of feedback's database."""
    whole = run.many(_EVENTS)
    few = max(200, whole // 40)
    async with ground() as servers:
        one_type = await _rounds(
            run,
            servers,
            ONE_TYPE,
            {OURS: (ours.consume, whole), CEILING: (bare.consume, whole), ONE_CALL: (one_call.consume, few)},
            whole,
        )
        mixed = await _rounds(run, servers, MIXED, {OURS: (ours.consume, whole), CEILING: (bare.consume, whole)}, whole)
    return Found(
        [*one_type.values(), *mixed.values()],
        [
            Bar(ONE_TYPE.name, "of the ceiling", 0.9, ratio(one_type, OURS, CEILING)),
            Bar(ONE_TYPE.name, "times one message a call", 25.0, ratio(one_type, OURS, ONE_CALL)),
            Bar(MIXED.name, "of the ceiling, which keeps order per key as well", 0.6, ratio(mixed, OURS, CEILING)),
        ],
    )


async def _rounds(
    run: Run, ground: Ground, load: Load, contestants: dict[str, tuple[Consume, int]], whole: int
) -> dict[str, Figure]:
    figures = {name: Figure(load.name, name, "events/s", many) for name, (_, many) in contestants.items()}
    bar = run.task(f"{load.name}: loading the topic", whole)
    await ground.load(load.records(whole), lambda many: run.progress.advance(bar, many))
    bar = run.task(f"{load.name}: measuring", run.rounds * len(contestants))
    left: set[tuple[object, ...]] = set()
    for n in range(run.rounds):
        for name in run.turns(list(contestants), n):
            consume, many = contestants[name]
            run.progress.update(bar, description=f"{load.name}: {name}")
            stopwatch, effect = await _measure(ground, load, consume, many)
            if many == whole:
                left.add(effect)
            if effect[0] != many if many == whole else len(set(effect[:4])) != 1:
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
