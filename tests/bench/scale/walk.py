"""What one walk costs from request to follow-up: events, bytes, log and processor of the whole story, counted.

The constants of docs/capacity.md come from here: `python -m tests.bench walk`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import asyncpg
import psutil

from shared.contracts.catalogue import SERVICES
from shared.embedded.demo import Demo
from shared.embedded.stack import BROKER, POSTGRES, Stack
from tests.bench.figures import Figure, Found, Run, Unit, WrongEffect
from tests.bench.requests import stack_of_our_own

_WARM: Final = 20
_WALKS: Final = 60
_STORY: Final = "a walk's story"
_INBOX: Final = "SELECT count(*) FROM inbox"
_SIZE: Final = "SELECT pg_database_size(current_database())"
_WRITING: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
"""Only what writes is given a number, whichever database it is in."""
_WAL: Final = "SELECT wal_bytes FROM pg_stat_wal"


@dataclass(frozen=True, slots=True)
class _Count:
    """Everything that is counted, since the stack began."""

    values: dict[tuple[str, Unit], float]

    def since(self, before: _Count, walks: int) -> dict[tuple[str, Unit], float]:
        """What a walk added."""
        return {of: (value - before.values.get(of, 0.0)) / walks for of, value in self.values.items()}


async def suite(run: Run) -> Found:
    """The demo's driver sends walks through the story; what they left is counted in databases and processes."""
    figures: dict[tuple[str, Unit], Figure] = {}
    walks = run.many(_WALKS)
    with stack_of_our_own(SERVICES) as stack:
        await asyncio.to_thread(stack.open)
        await asyncio.to_thread(stack.wait_for_bus)
        await _sent(run, stack, _WARM)
        for _ in range(1 if run.quick else 3):
            before = await _counted(stack)
            await _sent(run, stack, walks)
            after = await _counted(stack)
            for (who, unit), value in after.since(before, walks).items():
                if value:
                    figures.setdefault((who, unit), Figure(_STORY, who, unit, walks)).values.append(value)
    return Found(
        [figures[of] for of in sorted(figures, key=lambda of: (of[1], of[0]))],
        notes=["A walk here has one request, one or two concerns, one partner a concern; one woman in five is called."],
    )


async def _sent(run: Run, stack: Stack, walks: int) -> None:
    bar = run.task("walks through the story", walks)

    def tell(stage: str) -> None:
        if stage == "followed up":
            run.progress.advance(bar)

    report = await Demo(stack, walks, tell=tell).run()
    if not report.well:
        raise WrongEffect(f"the story: {report.line()}")


async def _counted(stack: Stack) -> _Count:
    values: dict[tuple[str, Unit], float] = {}
    for service in SERVICES:
        connection = await asyncpg.connect(stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{service}")
        try:
            for row in await connection.fetch(
                "SELECT topic, count(*) AS events, sum(octet_length(data)) AS data FROM outbox_log GROUP BY topic"
            ):
                _add(values, f"published to {_topic(row['topic'])}", "events a walk", row["events"])
                _add(values, "published, data alone", "bytes a walk", row["data"])
            _add(values, f"consumed by {service}", "events a walk", await connection.fetchval(_INBOX))
            _add(values, f"database of {service}", "bytes a walk", await connection.fetchval(_SIZE))
            if service == SERVICES[0]:
                _add(values, "write-ahead log", "bytes a walk", await connection.fetchval(_WAL))
                _add(values, "transactions that write", "a walk", await connection.fetchval(_WRITING))
        finally:
            await connection.close()
    for name in (*SERVICES, POSTGRES, BROKER):
        _add(values, f"processor, {name}", "ms a walk", 1e3 * _processor(stack, name))
    return _Count(values)


def _add(values: dict[tuple[str, Unit], float], who: str, unit: Unit, value: float) -> None:
    values[who, unit] = values.get((who, unit), 0.0) + float(value)


def _topic(name: str) -> str:
    """A partner's own topics are told together."""
    return "partner.*.v1" if name.startswith("partner.") else name


def _processor(stack: Stack, name: str) -> float:
    """Processor seconds of a part of the stack so far, of processes it has ended as well."""
    pid = stack.pid(name)
    if pid is None:
        return 0.0
    process = psutil.Process(pid)
    times = process.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in process.children():
        try:
            of_child = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += of_child.user + of_child.system
    return float(total)
