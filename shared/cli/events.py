"""Events again: records that were parked, and the retained log."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
import typer
from rich.table import Table

from shared.bus.outbox import QUERIES
from shared.cli.terminal import DatabaseUrl, ServiceName, console, errors, with_database

app = typer.Typer()
parked = typer.Typer(no_args_is_help=True, help="Records a service could not read or apply.")
app.add_typer(parked, name="parked")


@app.command()
def replay(
    service: ServiceName,
    since: Annotated[datetime, typer.Option(help="Publish again what is true since then (UTC).")],
    topic: Annotated[list[str] | None, typer.Option(help="Only these topics.")] = None,
    url: DatabaseUrl = None,
) -> None:
    """Publish a service's retained events again; inboxes make that harmless within their horizon."""
    from shared.bus.replay import BeforeHorizon, replay_since

    async def work(connection: asyncpg.Connection[Any]) -> int:
        return await replay_since(connection, since.replace(tzinfo=UTC), topic or None)

    try:
        many = with_database(service, url, work)
    except BeforeHorizon as refusal:
        errors.print(str(refusal), style="red")
        raise typer.Exit(2) from None
    console.print(f"{many} events are published again")


@parked.command("list")
def list_parked(service: ServiceName, url: DatabaseUrl = None) -> None:
    """What was parked, oldest first."""

    async def work(connection: asyncpg.Connection[Any]) -> list[Any]:
        return list(await connection.fetch(QUERIES.parked.sql))

    rows = with_database(service, url, work)
    if not rows:
        console.print(f"{service}: nothing is parked")
        return
    table = Table("number", "force", "why", "topic", "place", "reason", "since", "behind it")
    for row in rows:
        table.add_row(
            str(row["position"]),
            row["force_id"],
            row["why"],
            row["topic"],
            f"{row['partition']}:{row['offset']}",
            row["reason"],
            f"{row['held_at']:%Y-%m-%d %H:%M:%S}",
            str(row["behind"]),
        )
    console.print(table)


@parked.command("show")
def show_parked(service: ServiceName, number: int, url: DatabaseUrl = None) -> None:
    """One parked record: headers and original bytes (they may hold words of hers: look only with a reason)."""

    async def work(connection: asyncpg.Connection[Any]) -> Any:
        return await connection.fetchrow(QUERIES.parked_one.sql, number)

    row = with_database(service, url, work)
    if row is None:
        errors.print(f"{service}: no record {number} is parked", style="red")
        raise typer.Exit(1)
    for name, value in json.loads(row["headers"]):
        console.print(f"{name}: {base64.b64decode(value).decode(errors='replace')}", highlight=False, markup=False)
    console.print(f"\n{(row['value'] or b'').decode(errors='replace')}", highlight=False, markup=False)
    console.print(f"\n{row['why']}: {row['reason']}", highlight=False, markup=False)


@parked.command("retry")
def retry_parked(service: ServiceName, numbers: list[int], url: DatabaseUrl = None) -> None:
    """Try parked records again, with what is held behind them; the running bus does it within seconds."""

    async def work(connection: asyncpg.Connection[Any]) -> list[int]:
        await connection.execute(QUERIES.retry_parked.sql, numbers)
        for _ in range(100):
            left = await connection.fetch(
                "SELECT position FROM held WHERE try_at IS NOT NULL AND position = ANY ($1)", numbers
            )
            if not left:
                return []
            await asyncio.sleep(0.1)
        return [row["position"] for row in left]

    left = with_database(service, url, work)
    if left:
        errors.print(f"{service}: not tried within 10 seconds; does its bus role run?", style="red")
        raise typer.Exit(1)
    list_parked(service, url)


@parked.command("discard")
def discard_parked(
    service: ServiceName,
    numbers: list[int],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: DatabaseUrl = None,
) -> None:
    """Give parked records up; what is held behind them goes on."""
    if not yes:
        typer.confirm(f"Give up {len(numbers)} of {service}'s records? They will never take effect.", abort=True)

    async def work(connection: asyncpg.Connection[Any]) -> set[int]:
        return {row["position"] for row in await connection.fetch(QUERIES.discard_parked.sql, numbers)}

    given_up = with_database(service, url, work)
    console.print(f"{service}: {len(given_up)} records are given up")
    unknown = sorted(set(numbers) - given_up)
    if unknown:
        errors.print(f"{service}: nothing is parked under {', '.join(map(str, unknown))}", style="red")
        raise typer.Exit(1)
