"""What the commands share: where they speak, how a service is named, and how its database is found."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console

from shared.contracts.catalogue import SERVICES

console = Console()
errors = Console(stderr=True)


ServiceName = Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="WALKANDTALK_DATABASE_BUS_URL",
        help="The service's database under its bus login; by default the running stack's.",
        show_default=False,
    ),
]


def known(service: str) -> str:
    if service not in SERVICES:
        errors.print(f"There is no service {service}; there are {', '.join(SERVICES)}.", style="red")
        raise typer.Exit(2)
    return service


def every_force() -> tuple[str, ...]:
    from shared.policies import Policies

    return Policies.read(forces_folder()).forces


def forces_folder() -> Path:
    return Path(os.environ.get("WALKANDTALK_FORCES_DIR", "deploy/forces"))


def stack_url(service: str) -> str:
    """The running embedded stack's database."""
    from shared.embedded.stack import FOLDER, address_of_running

    found: str | None = address_of_running(FOLDER, service, "bus")
    if found is None:
        errors.print("No stack runs here. Name the database with --url or WALKANDTALK_DATABASE_BUS_URL.", style="red")
        raise typer.Exit(2)
    return found


def with_database(service: str, url: str | None, work: Any) -> Any:
    """Run work on a connection that may touch every force's rows."""
    from shared.database import permit

    known(service)
    address = url or stack_url(service)

    async def connected() -> Any:
        connection = await asyncpg.connect(
            address, server_settings={"walkandtalk.forces": permit([*every_force(), "unknown"])}
        )
        try:
            return await work(connection)
        finally:
            await connection.close()

    try:
        return asyncio.run(connected())
    except OSError:
        errors.print(f"{service}: its database cannot be reached", style="red")
        raise typer.Exit(1) from None
