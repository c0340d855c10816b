"""`make misuse`: a hundred thousand bad inputs of each kind at a whole stack, and what became of them."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from shared.embedded.stack import Stack, stop_on_sigterm
from tests.misuse import malformed, pour, requests
from tests.misuse.doors import Ground
from tests.misuse.flood import Found, flood, made
from tests.misuse.furnish import furnish
from tests.misuse.hostile import Marks
from tests.misuse.watch import Watch
from tests.servers.whole import ports_of_our_own, with_postcodes

KINDS = (*requests.KINDS, malformed.KIND, *pour.KINDS)


async def throw(stack: Stack, kinds: list[str], inputs: int, seed: int, bar: Callable[[str], Callable[[int], None]],
                say: Callable[[Found], None]) -> list[Found]:  # fmt: skip
    """Send `inputs` of each of these kinds and compare the stack with what it was before."""
    await furnish(stack)
    ground, results = Ground(stack), []
    for kind in kinds:
        if kind in requests.KINDS:
            # Tokens last an hour; a form that was sent may have changed what there is.
            await (ground.sign_in() if ground.forms and kind != "form posts" else ground.look_around())
        marks = Marks.of(seed, KINDS.index(kind))
        watch = Watch(stack)
        await watch.begin()
        began, tell = time.monotonic(), bar(kind)
        if kind in requests.KINDS:
            found = await flood(ground, kind, requests.KINDS[kind], marks, seed, iter(range(inputs)), tell)
            found.seconds = time.monotonic() - began
            await watch.compare(found, marks, Counter() if not found.accepted else None)
        elif kind == malformed.KIND:
            await ground.look_around()
            await watch.begin()
            found = await asyncio.to_thread(malformed.pour, ground, seed, inputs, tell)
            found.seconds = time.monotonic() - began
            await watch.compare(found, marks, Counter())
        else:
            found, expected = await pour.pour(stack, kind, marks, seed, inputs, tell)
            found.seconds = time.monotonic() - began
            await watch.compare(found, marks, expected)
            await pour.clear(stack)
        found.refused.clear()
        results.append(found)
        say(found)
    return results


def table_of(results: list[Found], seed: int) -> Table:
    """What became of everything, a line a kind."""
    table = Table(title=f"bad inputs, seed {seed}")
    columns = (
        "kind", "sent", "refused by status", "answered", "parked", "skipped", "waits or taken", "5xx", "503 later",
        "crashes", "leaked", "half-done", "MB", "s",
    )  # fmt: skip
    for name in columns:
        words = name in ("kind", "refused by status")
        table.add_column(name, justify="left" if words else "right", no_wrap=name == "kind")
    for one in results:
        refused = {status: many for status, many in sorted(one.statuses.items()) if 400 <= status < 500}
        told = " ".join(f"{status}:{many:,}" for status, many in refused.items()) + (
            f" cut:{one.cut:,}" if one.cut else ""
        )
        answered = sum(many for status, many in one.statuses.items() if status < 400)
        table.add_row(
            one.kind, f"{one.sent:,}", told or "-", f"{answered:,}", f"{one.parked:,}", f"{one.skipped:,}",
            f"{one.taken:,}", str(one.broken), str(one.away), str(one.crashes), str(one.leaks), str(one.half_done),
            f"{max(one.growth.values(), default=0):+.0f}", f"{one.seconds:.0f}",
        )  # fmt: skip
    return table


def as_json(results: list[Found], seed: int, inputs: int) -> str:
    """The figures, for programs."""
    kinds = [{name: value for name, value in vars(one).items() if name != "refused"} for one in results]
    return json.dumps({"seed": seed, "inputs": inputs, "kinds": kinds}, indent=1)


def main(
    inputs: Annotated[int, typer.Option(help="Inputs of each kind.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Makes the same inputs again.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help=f"A kind: {', '.join(KINDS)}.")] = None,
    show: Annotated[int | None, typer.Option(help="Print this input of the kind instead, and its answer.")] = None,
    write: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Throw bad inputs of every kind at all four services, and search everything for what they left."""
    stop_on_sigterm()
    console = Console(width=200 if not sys.stdout.isatty() else None)
    kinds = only or list(KINDS)
    if unknown := set(kinds) - set(KINDS):
        raise typer.BadParameter(f"no such kind: {', '.join(sorted(unknown))}")
    if show is not None and kinds[0] == malformed.KIND:
        raise typer.BadParameter("these are told whole where something is wrong with one; there is none by number")
    seed = seed or time.time_ns() % 0xFFFFFF
    console.print(f"seed {seed}")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with (
        tempfile.TemporaryDirectory(prefix="walkandtalk-misuse-", ignore_cleanup_errors=True) as name,
        Progress(*columns, console=console) as progress,
    ):
        Path(name).chmod(0o711)
        with Stack(with_postcodes(Path(name) / "stack"), ports_of_our_own(), say=console.print) as stack:
            stack.wait_for_bus()
            if show is not None:
                asyncio.run(_show(stack, kinds[0], seed, show, console))
                return

            def bar(kind: str) -> Callable[[int], None]:
                task = progress.add_task(kind, total=inputs)
                return lambda many: progress.advance(task, many)

            done: list[Found] = []

            def say(found: Found) -> None:
                console.print(
                    f"{found.kind}: {found.sent} sent, {found.seconds:.0f} s, {'well' if found.well else 'NOT WELL'}"
                )
                for fault in found.faults:
                    console.print(f"  {fault}", markup=False)
                done.append(found)
                if write is not None:
                    # After each kind: a run that is stopped has told what it found so far.
                    write.write_text(as_json(done, seed, inputs))

            results = asyncio.run(throw(stack, kinds, inputs, seed, bar, say))
    console.print(table_of(results, seed))
    raise typer.Exit(0 if all(one.well for one in results) else 1)


async def _show(stack: Stack, kind: str, seed: int, number: int, console: Console) -> None:
    """One input again, and its answer."""
    await furnish(stack)
    ground = Ground(stack)
    await ground.look_around()
    marks = Marks.of(seed, KINDS.index(kind))
    if kind in pour.KINDS:
        console.print(pour.one(kind, marks, seed, number), markup=False)
        return
    sent = made(requests.KINDS[kind], ground, marks, kind, seed, number)
    console.print(sent.service, sent.raw[:4000].decode("latin-1"), markup=False)
    from tests.misuse.flood import Wire

    status, head, body = await Wire(getattr(stack.ports, sent.service)).ask(sent.raw)
    console.print(status, head.decode("latin-1"), body[:4000].decode(errors="replace"), markup=False)


if __name__ == "__main__":
    typer.run(main)
