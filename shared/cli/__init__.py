"""`walkandtalk`: everything the command line can do, one file a subject. Starts services, imports none."""

from __future__ import annotations

import typer

from shared.cli import areas, backups, data, databases, events, forces, stack, topics

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Walk and Talk.")
for part in (stack, databases, backups, forces, areas, topics, events, data):
    app.add_typer(part.app)


def main() -> None:
    """The console script."""
    app()
