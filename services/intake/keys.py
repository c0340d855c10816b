"""`walkandtalk keys`: replace the master key. docs/operating.md says the steps; what is printed tells the next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.intake.handlers.keys import BEGINNING, KeysHeld, keys_held, rewrap_some
from services.intake.ring import KeyServiceFailed, MasterKeyWrong, Ring, key_service
from services.intake.settings import KeySettings
from services.intake.vault import Vault
from shared.database import TRANSIENT, Database
from shared.policies import Policies
from shared.settings import complaints

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The keys to who she is; run where intake runs.")
console = Console(soft_wrap=True, highlight=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False)
T = TypeVar("T")


class _Settings(KeySettings):
    """What the commands are told, in the variables intake has."""

    database_bus_url: str
    forces_dir: Path = Path("deploy/forces")


def _settings() -> _Settings:
    try:
        return _Settings()
    except ValidationError as fault:
        errors.print(complaints(fault), style="red")
        raise typer.Exit(2) from None


def _ring(settings: _Settings) -> Ring:
    try:
        return settings.ring()
    except (MasterKeyWrong, KeyServiceFailed) as fault:
        errors.print(f"The master key {fault}", style="red")
        raise typer.Exit(2) from None


async def _opened(settings: _Settings) -> tuple[Database, tuple[str, ...]]:
    database = Database(settings.database_bus_url)
    await database.open()
    return database, Policies.read(settings.forces_dir).forces


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except TRANSIENT as fault:
        errors.print(f"The database cannot be reached: {type(fault).__name__}", style="red")
        raise typer.Exit(1) from None


async def _held(settings: _Settings) -> KeysHeld:
    database, forces = await _opened(settings)
    try:
        async with database.transaction(forces) as tx:
            return await keys_held(tx)
    finally:
        await database.close()


@app.command()
def status() -> None:
    """Which master key wraps how many keys; exit 1 if the ring does not open all of them."""
    settings = _settings()
    vault, held = Vault(_ring(settings)), _run(_held(settings))
    for name in dict.fromkeys([*vault.masters, *held.by_master]):
        place = "wraps" if name == vault.master_id else "older" if name in vault.masters else "not in the ring"
        console.print(f"{name}  {place:<15}  {held.by_master.get(name, 0)} keys")
    if held.without:
        errors.print(f"{held.without} rows have no key: put the copy of keys back (walkandtalk restore)", style="red")
    if held.without or set(held.by_master) - set(vault.masters):
        raise typer.Exit(1)


@app.command()
def new() -> None:
    """Print a ring with a new master key in front. Give it to intake in place of the one it has, and start it again."""
    settings = _settings()
    typer.echo(_ring(settings).with_new_master().text(key_service(settings.key_helper)))
    errors.print("Keep this as secret as the one before. With it in place, start intake again, then: keys rotate")


@app.command()
def rotate(
    batch: Annotated[int, typer.Option(min=1, max=5000, help="Keys a transaction.")] = 500,
    yes: Annotated[bool, typer.Option("--yes", help="Every process of intake runs with this ring.")] = False,
) -> None:
    """Wrap all keys by the ring's first master key, while the service runs. Interrupted, it goes on when run again."""
    if not yes:
        typer.confirm("Does every process of intake run with this ring? One that does not opens nobody", abort=True)
    settings = _settings()
    done, shut = _run(_rotate(settings, Vault(_ring(settings)), batch))
    console.print(f"{done} keys are wrapped by the new master key")
    if shut:
        errors.print(f"{shut} keys open under no master key of the ring", style="red")
        raise typer.Exit(1)
    errors.print("Next: walkandtalk backup, for a copy of keys as they are now; then: keys retire")


async def _rotate(settings: _Settings, vault: Vault, batch: int) -> tuple[int, int]:
    database, forces = await _opened(settings)
    done = shut = 0
    try:
        async with database.transaction(forces) as tx:
            by_master = (await keys_held(tx)).by_master
        left = sum(many for name, many in by_master.items() if name != vault.master_id)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=errors) as progress:
            bar = progress.add_task("Keys", total=left)
            place = BEGINNING
            while True:
                async with database.transaction(forces) as tx:
                    one = await rewrap_some(tx, place, batch, vault=vault)
                if one.reached is None:
                    return done, shut
                place, done, shut = one.reached, done + one.done, shut + one.shut
                progress.advance(bar, one.done + one.shut)
    finally:
        await database.close()


@app.command()
def retire() -> None:
    """Print the ring without its older master keys, once no key is wrapped by them."""
    settings = _settings()
    ring, held = _ring(settings), _run(_held(settings))
    vault = Vault(ring)
    left = sum(many for name, many in held.by_master.items() if name != vault.master_id)
    if left:
        errors.print(f"{left} keys are still wrapped by another master key: keys rotate", style="red")
        raise typer.Exit(1)
    typer.echo(ring.without_older().text(key_service(settings.key_helper)))
    errors.print("With it in place, start intake again; then destroy the older key, and copies of keys from before.")


if __name__ == "__main__":
    app(prog_name="walkandtalk keys")
