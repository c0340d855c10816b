"""`make bench`: suites of measurements, each against ceiling and peers in one run; medians, ratios, bars."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shared.observability import configure_logging
from tests.bench import consumption, growth, queue, relay, requests, routing, scale, story
from tests.bench.figures import Found, Run, Suite, WrongEffect
from tests.bench.growth import reads
from tests.bench.machine import Machine, describe, fsync_rate
from tests.bench.relay import latency
from tests.bench.scale import walk

SUITES: Final[dict[str, Suite]] = {
    "consumption": consumption.suite,
    "relay": relay.suite,
    "latency": latency.suite,
    "requests": requests.suite,
    "routing": routing.suite,
    "story": story.suite,
    "growth": growth.suite,
    "reads": reads.suite,
    "queue": queue.suite,
    "scale": scale.suite,
    "walk": walk.suite,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One suite's outcome, and how long it took in seconds."""

    suite: str
    found: Found
    seconds: float


async def _bench(run: Run, names: list[str], told: Console) -> tuple[Machine, list[Measured]]:
    with tempfile.TemporaryDirectory(prefix="walkandtalk-bench-") as folder:
        machine = describe(Path(folder))
        measured: list[Measured] = []
        for name in names:
            began = asyncio.get_running_loop().time()
            found = await SUITES[name](run)
            measured.append(Measured(name, found, asyncio.get_running_loop().time() - began))
            for task in list(run.progress.task_ids):
                run.progress.remove_task(task)
            _show(told, measured[-1])
        return replace(machine, fsync_rate_after=fsync_rate(Path(folder) / "fsync")), measured


def _show(console: Console, measured: Measured) -> None:
    table = Table(title=f"{measured.suite} ({measured.seconds:.0f} s)", title_justify="left")
    for heading in ("load", "who", "many", "unit", "median", "least", "most", "CPU µs each"):
        table.add_column(heading, justify="left" if heading in ("load", "who", "unit") else "right")
    for one in measured.found.figures:
        cpu = f"{statistics.median(one.cpu) * 1e6:,.0f}" if one.cpu else ""
        values = map(_number, (one.median, min(one.values), max(one.values)))
        table.add_row(one.load, one.contestant, f"{one.many:,}", one.unit, *values, cpu)
    console.print(table)
    for bar in measured.found.bars:
        verdict = "[green]reached[/]" if bar.reached else "[red]missed[/]"
        console.print(
            f"{bar.load}: {bar.median:.2f} {bar.told} ({min(bar.ratios):.2f} to {max(bar.ratios):.2f});"
            f" bar {bar.direction} {bar.limit:g}: {verdict}"
        )
    for note in measured.found.notes:
        console.print(note)
    console.print()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _about(machine: Machine, rounds: int) -> str:
    return ", ".join(
        (
            f"measured on {datetime.now(UTC):%d %B %Y}: {machine.cores} cores ({machine.architecture})",
            f"load {machine.load} at the start",
            f"{machine.fsync_rate:,} fsyncs a second before and {machine.fsync_rate_after:,} after (8 kB, fdatasync)",
            f"Python {machine.python}, aiokafka {machine.aiokafka}",
            f"asyncpg {machine.asyncpg}, FastStream {machine.faststream}",
            f"{rounds} interleaved rounds, medians",
        )
    )


def _as_json(machine: Machine, measured: list[Measured]) -> dict[str, Any]:
    return {
        "measured_at": datetime.now(UTC).isoformat(),
        "machine": asdict(machine),
        "suites": {
            one.suite: {
                "seconds": one.seconds,
                "figures": [asdict(figure) | {"median": figure.median} for figure in one.found.figures],
                "bars": [asdict(bar) | {"median": bar.median, "reached": bar.reached} for bar in one.found.bars],
                "notes": list(one.found.notes),
            }
            for one in measured
        },
    }


def main(
    suites: Annotated[list[str] | None, typer.Argument(help=f"Which to measure: {', '.join(SUITES)}. All.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds; a figure is their median.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="Three rounds of a quarter, to see it work.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything measured to this file.")] = None,
) -> None:
    """Measure against the ceilings of this machine and against peers; exit 1 when a bar is missed."""
    configure_logging("bench", "ERROR")
    names = suites or list(SUITES)
    if unknown := set(names) - set(SUITES):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose from {', '.join(SUITES)}")
    console = Console(width=None if sys.stdout.isatty() else 140)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:
        run = Run(min(rounds, 3) if quick else rounds, quick, progress)
        running = _bench(run, names, console)
        try:
            if sys.platform == "win32":
                machine, measured = asyncio.run(running)
            else:
                import uvloop

                machine, measured = uvloop.run(running)
        except WrongEffect as fault:
            progress.console.print(f"Nothing can be said: {fault}", style="red")
            raise typer.Exit(2) from None
    console.print(_about(machine, run.rounds))
    if json_file is not None:
        json_file.write_text(json.dumps(_as_json(machine, measured), indent=2) + "\n")
    raise typer.Exit(0 if all(bar.reached for one in measured for bar in one.found.bars) else 1)


if __name__ == "__main__":
    typer.run(main)
