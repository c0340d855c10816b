"""How long what is held about her is kept, and whether the log of who saw it is whole."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from shared.cli.terminal import DatabaseUrl, ServiceName, console, errors, every_force, forces_folder, known, stack_url
from shared.contracts.catalogue import SERVICES

app = typer.Typer()
audit = typer.Typer(no_args_is_help=True, help="The log of who saw, changed, disclosed and erased.")
app.add_typer(audit, name="audit")


@app.command()
def retention(
    service: Annotated[
        str | None, typer.Argument(help="One of the services; without it all of the running stack.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and let nothing go.")] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Even if it is more than a fifth of all there is.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=1, help="How long to wait until the service has done it.")] = 600,
    url: DatabaseUrl = None,
) -> None:
    """What is past the time its force keeps it: say how much, and have the running service let go of it now.

    It does so every night by itself; exit 1 where that waits for a person, or anything is left.
    """
    services = SERVICES if service is None else (known(service),)
    if service is None and url is not None:
        errors.print("Name the service whose database that is.", style="red")
        raise typer.Exit(2)
    left = [one for one in services if not asyncio.run(_retention(one, url, dry_run, confirm, seconds))]
    if left:
        raise typer.Exit(1)


async def _retention(service: str, url: str | None, dry_run: bool, confirm: bool, seconds: float) -> bool:
    from shared.database import Database
    from shared.policies import Policies
    from shared.retention import kinds_of, report, run_now

    if not kinds_of(service):
        console.print(f"{service}: nothing has a time of its own; what is hers goes when intake erases her")
        return True
    policies = Policies.read(forces_folder())
    database = Database(url or stack_url(service))
    await database.open()
    try:
        lines = await report(database, service, policies, datetime.now(UTC))
        table = Table("force", "kind", "kept for", "past it", "oldest", "kept all the same", "of all", title=service)
        for line in lines:
            found = line.found
            kept = ", ".join(f"{many} {why}" for why, many in sorted(found.kept.items()))
            oldest = f"{found.oldest:%Y-%m-%d}" if found.oldest else ""
            table.add_row(line.force_id, line.kind, f"{line.days} days", str(found.going), oldest, kept, str(found.of))
        console.print(table)
        too_much = [line for line in lines if line.found.too_much]
        for line in too_much:
            errors.print(
                f"{line.force_id}: {line.found.going} of {line.found.of} {line.kind} would go at once. "
                "If that is meant: walkandtalk retention --confirm",
                style="red",
            )
        if dry_run:
            return not too_much
        if too_much and not confirm:
            return False
        if not await run_now(database, policies, datetime.now(UTC), confirmed=confirm, patience=seconds):
            errors.print(f"{service}: not done within {seconds:.0f} seconds; does its bus role run?", style="red")
            return False
        left = sum(line.found.going for line in await report(database, service, policies, datetime.now(UTC)))
        console.print(f"{service}: done, {left} are left")
        return left == 0
    finally:
        await database.close()


@audit.command("verify")
def verify_audit(
    service: ServiceName,
    anchor: Annotated[Path | None, typer.Option(help="The file of heads kept outside the database.")] = None,
    url: DatabaseUrl = None,
) -> None:
    """Whether the audit log is whole: rows altered, removed or cut off are named."""
    from shared.audit import verify
    from shared.database import Database

    async def work() -> list[str]:
        database = Database(url or stack_url(known(service)))
        await database.open()
        try:
            return [str(fault) for fault in await verify(database, every_force(), anchor)]
        finally:
            await database.close()

    faults = asyncio.run(work())
    for fault in faults:
        errors.print(fault, style="red")
    if faults:
        raise typer.Exit(1)
    console.print(f"{service}: the audit log is whole")
