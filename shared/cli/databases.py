"""Databases made and brought up to date."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import asyncpg
import typer

from shared.cli.terminal import ServiceName, console, errors, known

app = typer.Typer()


@app.command()
def migrate(
    service: ServiceName,
    url: Annotated[str, typer.Option(envvar="WALKANDTALK_DATABASE_OWNER_URL", help="The database, as its owner.")],
) -> None:
    """Bring a service's database up to date."""
    from shared.provisioning import MigrationFailed
    from shared.provisioning import migrate as bring_up

    try:
        bring_up(known(service), url)
    except MigrationFailed as fault:
        errors.print(str(fault), style="red")
        raise typer.Exit(1) from None
    console.print(f"{service}: the database is up to date")


@app.command()
def provision(
    seconds: Annotated[float, typer.Option(min=0, help="How long to wait for the server.")] = 60,
) -> None:
    """Make or update databases, logins and tables on a PostgreSQL server; running it again is harmless.

    From the environment, so that no process list shows a password: WALKANDTALK_DATABASE_ADMIN_URL, and for each
    service WALKANDTALK_INTAKE_WEB_PASSWORD and WALKANDTALK_INTAKE_BUS_PASSWORD (…_ASSIGNMENT_…, and so on). Each may
    be given as a file instead: the same name with _FILE behind it. WALKANDTALK_INTAKE_OWNER_PASSWORD is optional;
    without it the owner gets a new one at each run, which nobody knows.
    """
    from shared.provisioning import MigrationFailed, SettingMissing, provision_from

    try:
        asyncio.run(provision_from(os.environ, seconds, say=lambda what: console.print(what, highlight=False)))
    except (MigrationFailed, SettingMissing) as fault:
        errors.print(str(fault), style="red", highlight=False)
        raise typer.Exit(1) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        # The message may quote what was sent; its class says enough.
        errors.print(f"The server refused or cannot be reached: {type(fault).__name__}", style="red")
        raise typer.Exit(1) from None
