"""Everything on this machine: the demo, and the stack that stays up."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from shared.cli.terminal import console, errors

app = typer.Typer()


@app.command()
def demo(
    walks: Annotated[int, typer.Option(min=1, max=5000, help="How many walks to send through the story.")] = 25,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder of the demo afterwards.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where the demo lives; emptied first.")] = None,
) -> None:
    """Start everything, send walks through the whole story, say what happened, stop; exit 0 if all is there once."""
    from shared.embedded.demo import STAGES, Demo, StoryStuck
    from shared.embedded.stack import FOLDER, Stack, StackRefusal

    folder = folder or FOLDER / "demo"
    _forget(folder)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
    ) as progress:
        starting = progress.add_task("Starting", total=None)
        try:
            with Stack(folder, say=lambda what: progress.update(starting, description=what)) as stack:
                progress.remove_task(starting)
                bars = {stage: progress.add_task(stage, total=walks) for stage in STAGES}

                def tell(stage: str) -> None:
                    bar = bars[stage]
                    task = progress.tasks[progress.task_ids.index(bar)]
                    # A walk may raise several concerns: those bars grow with what is found.
                    progress.update(bar, advance=1, total=max(walks, int(task.completed) + 1))

                report = asyncio.run(Demo(stack, walks, tell=tell).run())
        except StackRefusal as refusal:
            errors.print(str(refusal), style="red")
            raise typer.Exit(2) from None
        except ExceptionGroup as group:
            stuck = group.subgroup(StoryStuck)
            if stuck is None:
                raise
            for one in stuck.exceptions:
                errors.print(f"The story stuck: {one}", style="red")
            errors.print(f"What the services said stands in {folder / 'logs'}")
            raise typer.Exit(1) from None
    for fault in report.faults:
        errors.print(fault, style="red")
    if not report.well:
        errors.print(f"What the services said stands in {folder / 'logs'}")
    elif not keep:
        _forget(folder)
    typer.echo(json.dumps(asdict(report)) if as_json else report.line())
    raise typer.Exit(0 if report.well else 1)


def _forget(folder: Path) -> None:
    """Remove what an earlier demo left: each demo counts its own walks only, on a fresh system.

    The postcode store stays: it takes seconds to make and is the same every time.
    """
    if (folder / "postgres").exists():
        from shared.embedded.postgres import EmbeddedPostgres

        postgres = EmbeddedPostgres(folder / "postgres", 0)
        postgres.end_leftover()
        postgres.remove()
    for left in (*folder.glob("*"), *(folder / "data").glob("*")):
        if left.name == "data" or left.name.startswith("postcodes"):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


@app.command()
def up(
    walks: Annotated[int, typer.Option(min=0, help="Demo walks to send in, the first time.")] = 25,
) -> None:
    """Start everything with demo data and keep it running; Ctrl-C stops it."""
    from shared.embedded.demo import Demo
    from shared.embedded.stack import FOLDER, Stack, StackRefusal

    try:
        with Stack(FOLDER, say=errors.print) as stack:
            for name, url in stack.urls.items():
                console.print(f"  {name:<11} {url}", highlight=False)
            told = FOLDER / "demo-data-sent"
            if walks and not told.exists():
                errors.print(f"Sending {walks} demo walks through the story …")
                report = asyncio.run(Demo(stack, walks).run())
                told.touch()
                console.print(report.line(), highlight=False)
            errors.print("Press Ctrl-C to stop.")
            while True:
                stack.watch()
                time.sleep(1)
    except StackRefusal as refusal:
        errors.print(str(refusal), style="red")
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        errors.print("Stopped.")
