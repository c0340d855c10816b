"""`make bench`: rounds in which everybody consumes the same records once, in turn; medians, ratios, bars."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shared.observability import configure_logging
from shared.runtime import settle
from tests.bench import bare, one_call, ours
from tests.bench.ground import Clone, Ground, Stopwatch, ground
from tests.bench.loads import MIXED, ONE_TYPE, Load
from tests.bench.machine import Machine, describe, fsync_rate

Consume = Callable[[Ground, Clone, str, Stopwatch], Awaitable[None]]

_LONGEST: Final = 300.0
OURS: Final = "ours"
CEILING: Final = "bare aiokafka + asyncpg (ceiling)"
ONE_CALL: Final = "idiomatic FastStream, one message a call"


@dataclass(frozen=True, slots=True)
class Figure:
    """What one contestant did with one load: events a second, a figure a round."""

    load: str
    contestant: str
    events: int
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Seconds of processor an event, of the consuming process alone."""

    @property
    def median(self) -> float:
        return statistics.median(self.rates)


@dataclass(frozen=True, slots=True)
class Bar:
    """A ratio that has to be reached: the median of the ratios of each round."""

    load: str
    told: str
    least: float
    ratios: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.ratios)

    @property
    def reached(self) -> bool:
        return self.median >= self.least


class WrongEffect(Exception):
    """A contestant did not leave behind what it had to, so its speed means nothing."""


async def _measure(ground: Ground, load: Load, consume: Consume, many: int) -> tuple[Stopwatch, tuple[object, ...]]:
    async with ground.clone(load.prepare) as clone:
        stopwatch = Stopwatch(many)
        # As a service's process does once it is built, for every contestant alike.
        settle()
        async with asyncio.timeout(_LONGEST):
            await consume(ground, clone, load.topic, stopwatch)
        return stopwatch, await clone.looked_up(load.effect)


async def _rounds(
    ground: Ground, load: Load, contestants: dict[str, tuple[Consume, int]], whole: int, runs: int, progress: Progress
) -> dict[str, Figure]:
    figures = {name: Figure(load.name, name, many) for name, (_, many) in contestants.items()}
    bar = progress.add_task(f"{load.name}: loading the topic", total=whole)
    await ground.load(load.records(whole), lambda many: progress.advance(bar, many))
    bar = progress.add_task(f"{load.name}: measuring", total=runs * len(contestants))
    left: set[tuple[object, ...]] = set()
    for n in range(runs):
        # Each round begins with another, so that nobody always comes after the same neighbour.
        names = list(contestants)
        for name in names[n % len(names) :] + names[: n % len(names)]:
            consume, many = contestants[name]
            progress.update(bar, description=f"{load.name}: {name}")
            stopwatch, effect = await _measure(ground, load, consume, many)
            if many == whole:
                left.add(effect)
            if effect[0] != many if many == whole else len(set(effect[:4])) != 1:
                raise WrongEffect(f"{name}, {load.name}: {effect}")
            figures[name].rates.append(stopwatch.rate)
            figures[name].cpu.append(stopwatch.cpu / stopwatch.seen)
            progress.advance(bar)
    if len(left) != 1:
        raise WrongEffect(f"{load.name}: not everybody left the same behind: {left}")
    return figures


def _bar(figures: dict[str, Figure], other: str, least: float, told: str) -> Bar:
    mine = figures[OURS]
    pairs = zip(mine.rates, figures[other].rates, strict=True)
    return Bar(mine.load, told, least, [one / two for one, two in pairs])


async def _bench(events: int, runs: int, mixed: bool, progress: Progress) -> tuple[Machine, list[Figure], list[Bar]]:
    setting_up = progress.add_task("starting PostgreSQL and broker", total=None)
    async with ground() as servers:
        progress.remove_task(setting_up)
        machine = await describe(servers.folder, servers.postgres.admin_url)
        few = max(200, events // 40)
        figures = await _rounds(
            servers,
            ONE_TYPE,
            {OURS: (ours.consume, events), CEILING: (bare.consume, events), ONE_CALL: (one_call.consume, few)},
            events,
            runs,
            progress,
        )
        found = list(figures.values())
        bars = [
            _bar(figures, CEILING, 0.8, "of the ceiling"),
            _bar(figures, ONE_CALL, 20.0, "times one message a call"),
        ]
        if mixed:
            figures = await _rounds(
                servers, MIXED, {OURS: (ours.consume, events), CEILING: (bare.consume, events)}, events, runs, progress
            )
            found += figures.values()
            bars.append(_bar(figures, CEILING, 0.6, "of the ceiling, which keeps order per key as well"))
        machine = replace(machine, fsync_rate_after=fsync_rate(servers.folder / "fsync"))
    return machine, found, bars


def _show(console: Console, machine: Machine, figures: list[Figure], bars: list[Bar], runs: int) -> None:
    about = (
        f"measured on {datetime.now(UTC):%d %B %Y}: {machine.cores} cores ({machine.architecture})",
        f"load {machine.load} at the start",
        f"{machine.fsync_rate:,} fsyncs a second before and {machine.fsync_rate_after:,} after (8 kB, fdatasync)",
        f"Python {machine.python}, PostgreSQL {machine.postgres}, aiokafka {machine.aiokafka}",
        f"asyncpg {machine.asyncpg}, FastStream {machine.faststream}, embedded broker",
        f"{runs} interleaved runs, medians",
    )
    console.print(", ".join(about))
    table = Table()
    for heading in ("load", "who", "events", "events/s", "least", "most", "CPU µs an event"):
        table.add_column(heading, justify="left" if heading in ("load", "who") else "right")
    for one in figures:
        table.add_row(
            one.load, one.contestant, f"{one.events:,}", f"{one.median:,.0f}", f"{min(one.rates):,.0f}",
            f"{max(one.rates):,.0f}", f"{statistics.median(one.cpu) * 1e6:,.0f}",
        )  # fmt: skip
    console.print(table)
    for bar in bars:
        verdict = "[green]reached[/]" if bar.reached else "[red]missed[/]"
        console.print(
            f"{bar.load}: {bar.median:.2f} {bar.told} ({min(bar.ratios):.2f} to {max(bar.ratios):.2f});"
            f" bar {bar.least:g}: {verdict}"
        )


def _as_json(machine: Machine, figures: list[Figure], bars: list[Bar]) -> dict[str, Any]:
    return {
        "measured_at": datetime.now(UTC).isoformat(),
        "machine": asdict(machine),
        "figures": [asdict(one) | {"median": one.median} for one in figures],
        "bars": [asdict(one) | {"median": one.median, "reached": one.reached} for one in bars],
    }


def main(
    runs: Annotated[int, typer.Option(min=1, help="Interleaved runs; a figure is their median.")] = 5,
    events: Annotated[int, typer.Option(min=1_000, help="Events on the topic.")] = 40_000,
    quick: Annotated[
        bool, typer.Option("--quick", help="Three runs of a quarter of the events, to see it work.")
    ] = False,
    mixed: Annotated[bool, typer.Option(help="Also measure four types mixed at random.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything measured to this file.")] = None,
) -> None:
    """Measure consumption with effect against the ceiling of this machine; exit 1 when a bar is missed."""
    configure_logging("bench", "ERROR")
    if quick:
        runs, events = min(runs, 3), max(1_000, events // 4)
    console = Console(width=None if sys.stdout.isatty() else 120)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:
        running = _bench(events, runs, mixed, progress)
        try:
            if sys.platform == "win32":
                machine, figures, bars = asyncio.run(running)
            else:
                import uvloop

                machine, figures, bars = uvloop.run(running)
        except WrongEffect as fault:
            progress.console.print(f"Nothing can be said: {fault}", style="red")
            raise typer.Exit(2) from None
    _show(console, machine, figures, bars, runs)
    if json_file is not None:
        json_file.write_text(json.dumps(_as_json(machine, figures, bars), indent=2) + "\n")
    raise typer.Exit(0 if all(bar.reached for bar in bars) else 1)


if __name__ == "__main__":
    typer.run(main)
