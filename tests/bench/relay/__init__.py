"""From the outbox to the bus: how many events a second, and how soon after the commit (latency.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Final

from shared.runtime import settle
from tests.bench.figures import Bar, Figure, Found, Run, ratio
from tests.bench.ground import Ground, Stopwatch, ground
from tests.bench.relay import bare, ours
from tests.bench.relay.brokers import Arrivals, Broker, apache, embedded
from tests.bench.relay.loads import TOPIC, Load, load

Publish = Callable[[Ground, Broker, Load, Stopwatch], Awaitable[None]]

_EVENTS: Final = 16_000
_LONGEST: Final = 120.0
OURS: Final = "ours"
CEILING: Final = "bare aiokafka, pipelined sends (ceiling)"
BY_HAND: Final = "bare aiokafka, batches filled by hand"
TXOUTBOX: Final = "txoutbox"
FASTSTREAM_OUTBOX: Final = "faststream-outbox, {} workers"
FASTSTREAM_OUTBOX_IN_ORDER: Final = "faststream-outbox, one worker"


async def suite(run: Run) -> Found:
    """Each contestant publishes the same events: the relays from a database, the ceilings from memory."""
    whole = run.many(_EVENTS)
    everything = load(whole)
    peers, notes = _peers(whole)
    bars: list[Bar] = []
    figures: list[Figure] = []
    async with ground() as servers, apache(servers, [TOPIC]) as kafka:
        for broker in (embedded(servers), kafka):
            if isinstance(broker, str):
                notes.append(broker)
                continue
            contestants: dict[str, tuple[Publish, int]] = {
                OURS: (ours.publish, whole),
                CEILING: (bare.send, whole),
                BY_HAND: (bare.batches, whole),
            }
            if not broker.idempotent:
                contestants |= peers
            found, seen = await _rounds(run, servers, broker, everything, contestants)
            notes += seen
            figures += found.values()
            bars.append(Bar(broker.name, "of the ceiling, the log kept", 0.8, ratio(found, OURS, CEILING)))
            bars += [
                Bar(broker.name, f"times {name}", 10.0, ratio(found, OURS, name))
                for name in contestants
                if name.startswith("faststream")
            ]
    return Found(figures, bars, notes)


def _peers(whole: int) -> tuple[dict[str, tuple[Publish, int]], list[str]]:
    """The peers that are installed here, each with a part of the events, and what is lacking."""
    if not (find_spec("txoutbox") and find_spec("faststream_outbox")):
        return {}, ["The peers are not installed: uv pip install -e '.[peers]' brings txoutbox and faststream-outbox."]
    from tests.bench.relay import faststream_outbox_peer, txoutbox_peer

    return {
        TXOUTBOX: (txoutbox_peer.publish, max(500, whole // 8)),
        FASTSTREAM_OUTBOX.format(faststream_outbox_peer.WORKERS): (
            faststream_outbox_peer.many_workers,
            max(500, whole // 16),
        ),
        FASTSTREAM_OUTBOX_IN_ORDER: (faststream_outbox_peer.one_worker, max(500, whole // 32)),
    }, []


async def _rounds(
    run: Run, servers: Ground, broker: Broker, everything: Load, contestants: dict[str, tuple[Publish, int]]
) -> tuple[dict[str, Figure], list[str]]:
    figures = {name: Figure(broker.name, name, "events/s", many) for name, (_, many) in contestants.items()}
    bar = run.task(f"{broker.name}: measuring", run.rounds * len(contestants))
    notes: dict[str, None] = {}
    for n in range(run.rounds):
        for name in run.turns(list(contestants), n):
            publish, many = contestants[name]
            run.progress.update(bar, description=f"{broker.name}: {name}")
            stopwatch, note = await _measure(servers, broker, name, publish, everything.part(many))
            if note:
                notes[note] = None
            figures[name].values.append(stopwatch.rate)
            figures[name].cpu.append(stopwatch.cpu / stopwatch.seen)
            run.progress.advance(bar)
    return figures, list(notes)


async def _measure(servers: Ground, broker: Broker, name: str, publish: Publish, part: Load) -> tuple[Stopwatch, str]:
    await broker.renew()
    arrivals = Arrivals(broker, TOPIC)
    await arrivals.begin()
    stopwatch = Stopwatch(len(part.records))
    # As a service's process does once it is built, for every contestant alike.
    settle()
    async with asyncio.timeout(_LONGEST):
        await publish(servers, broker, part, stopwatch)
        return stopwatch, await arrivals.check(name, part.records)
