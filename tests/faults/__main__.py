"""`make faults`: a seeded schedule of kills and cuts under load; exit 0 if every invariant held."""

from __future__ import annotations

import asyncio
import json
import math
import pickle
import shutil
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shared.embedded.stack import stop_on_sigterm
from shared.observability import configure_logging
from tests.faults.found import Found
from tests.faults.invariants import INVARIANTS
from tests.faults.run import Outcome, run
from tests.servers.jars import Lacking

SHOWN = 20
"""Breaches of one invariant that are printed."""


def main(
    kills: Annotated[int, typer.Option(min=1, help="How many kills and cuts; other faults are mixed in.")] = 200,
    seed: Annotated[int, typer.Option(help="Decides what happens to what, when and for how long.")] = 1,
    at_once: Annotated[int, typer.Option(min=1, help="Stories told at the same time.")] = 5,
    minutes: Annotated[float, typer.Option(help="Leave the rest of the schedule after so many minutes.")] = math.inf,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write what was found to this file.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep logs and data, and say where they are.")] = False,
) -> None:
    """Kill and cut everything under load; nothing may be lost or doubled. Exit 1 if an invariant did not hold."""
    configure_logging("faults", "ERROR")
    stop_on_sigterm()
    console = Console(width=None if sys.stdout.isatty() else 140)
    folder = Path(tempfile.mkdtemp(prefix="walkandtalk-faults-"))
    folder.chmod(0o711)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:
        bar = progress.add_task("kills and cuts", total=kills)

        def say(what: str) -> None:
            if progress.console.is_terminal:
                progress.update(bar, description=what[:80])
            else:
                progress.console.print(what, soft_wrap=True)

        def passed(many: int) -> None:
            progress.advance(bar, many)

        def kept(found: Found) -> None:
            (folder / "found.pickle").write_bytes(pickle.dumps(found))

        try:
            outcome = asyncio.run(
                run(folder, seed, kills, at_once=at_once, minutes=minutes, say=say, passed=passed, keep=kept)
            )
        except Lacking as lacking:
            console.print(f"This machine lacks {lacking}")
            raise typer.Exit(2) from None
    show(outcome, console)
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(outcome), indent=2) + "\n")
    if keep or not outcome.well:
        console.print(f"Logs and data stay in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    raise typer.Exit(0 if outcome.well else 1)


def show(outcome: Outcome, console: Console) -> None:
    """The table of faults and the list of invariants; of a run that failed also the schedule."""
    table = Table(title=f"Faults of seed {outcome.seed}", title_justify="left")
    for heading in ("kind", "times", "recovered in s: median", "most"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for kind, seconds in sorted(outcome.recoveries.items()):
        table.add_row(kind, str(len(seconds)), f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}")
    console.print(table)
    held = Table(title="Invariants", title_justify="left")
    for heading in ("holds", "looked at", "what"):
        held.add_column(heading, justify="right" if heading == "looked at" else "left")
    for invariant in INVARIANTS:
        verdict = outcome.verdicts.get(invariant.__name__)
        if verdict is not None:
            sentence = (invariant.__doc__ or "").strip()
            held.add_row("no" if verdict.breaches else "yes", f"{verdict.looked_at:,}", sentence)
    console.print(held)
    for name, verdict in outcome.verdicts.items():
        for breach in verdict.breaches[:SHOWN]:
            console.print(f"{name}: {breach}", soft_wrap=True)
        if len(verdict.breaches) > SHOWN:
            console.print(f"{name}: and {len(verdict.breaches) - SHOWN} more")
    for trouble in outcome.troubles:
        console.print(trouble, soft_wrap=True)
    for what in outcome.lacking:
        console.print(f"This machine lacks: {what}")
    numbers = ", ".join(f"{many:,} {what}" for what, many in outcome.accepted.items())
    console.print(f"Accepted: {numbers}; {outcome.events:,} records on the topics.", soft_wrap=True)
    left = ", ".join(f"{what} ({many})" for what, many in outcome.left.items()) or "none"
    console.print(f"{outcome.told} stories told to their end; left where patience ended: {left}.", soft_wrap=True)
    console.print("Answers: " + ", ".join(f"{what}: {many}" for what, many in outcome.statuses.items()), soft_wrap=True)
    if not outcome.well:
        console.print("The schedule was:")
        for step in outcome.steps:
            console.print(f"  {step}", soft_wrap=True)
        console.print(f'Again: make faults ARGS="--seed {outcome.seed} --kills {outcome.wanted}"')
    console.print(
        f"faults: kills={outcome.kills} of {outcome.wanted} steps={len(outcome.steps)} seed={outcome.seed}"
        f" breaches={sum(len(one.breaches) for one in outcome.verdicts.values())} troubles={len(outcome.troubles)}"
        f" quiet_after={outcome.quiet_after:.0f}s seconds={outcome.seconds:.0f}"
    )


def as_json(outcome: Outcome) -> dict[str, object]:
    """Everything but the records themselves."""
    return {**asdict(outcome), "steps": [str(step) for step in outcome.steps], "well": outcome.well}


if __name__ == "__main__":
    typer.run(main)
