"""One bus worker in a process of its own: feedback's real subscriptions, `Bus` and `Inbox`; a gate says when to begin.

Standard input: a line of JSON with `url`, `bootstrap`, `group`; then `go` and `wait` lines. It ends with its input.
Standard output: lines of JSON: `partitions` when they have changed, `took` and `cpu` after every batch.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from time import process_time
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry

from services.feedback.subscribers import subscriptions
from shared.bus.broker import Bus
from shared.bus.inbox import Inbox, Read, Record
from shared.bus.metrics import BusMetrics
from shared.database import Database
from shared.observability import configure_logging
from shared.runtime import settle
from tests.bench.ground import POLICIES


def _tell(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class _Gated(Inbox):
    gate: asyncio.Event
    spent: float = 0.0
    """Processor seconds of this process, as told last."""

    async def take(self, records: Sequence[Record], read: Read | None = None) -> None:
        await self.gate.wait()
        await super().take(records, read)
        before, self.spent = self.spent, process_time()
        _tell(took=len(records), cpu=self.spent - before)


async def _work(given: dict[str, str], lines: asyncio.StreamReader) -> None:
    database = Database(given["url"])
    await database.open()
    metrics = BusMetrics(CollectorRegistry())
    subscribe = subscriptions(POLICIES)
    inbox = _Gated(database, subscribe, lambda: datetime.now(UTC), metrics, POLICIES.forces)
    inbox.gate = asyncio.Event()
    bus = Bus(
        bootstrap=given["bootstrap"],
        subscriptions=subscribe,
        inbox=inbox,
        metrics=metrics,
        group=given["group"],
        embedded=True,
    )
    settle()
    stopping = asyncio.Event()
    running = [asyncio.create_task(bus.run(stopping)), asyncio.create_task(_watch(bus, stopping))]
    while line := await lines.readline():
        if line.strip() == b"go":
            inbox.spent = process_time()
            inbox.gate.set()
        else:
            inbox.gate.clear()
    stopping.set()
    inbox.gate.set()
    await asyncio.gather(*running)
    await database.close()


async def _watch(bus: Bus, stopping: asyncio.Event) -> None:
    """Tell how many partitions this member has, whenever that changes."""
    told = -1
    while not stopping.is_set():
        broker: Any = bus._broker
        consumer = broker.subscribers[0].consumer if broker is not None else None
        many = len(consumer.assignment()) if consumer is not None else 0
        if many != told:
            told = many
            _tell(partitions=many)
        await asyncio.sleep(0.1)


async def _main() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await _work(json.loads(await lines.readline()), lines)


if __name__ == "__main__":
    configure_logging("bench", "ERROR")
    uvloop.run(_main())
