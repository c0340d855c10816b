"""Databases, roles and migrations: one database a service, three logins each, none of which can enter another's.

    <service>_owner   owns the tables and runs migrations; no service runs as it
    <service>_web     pages and API
    <service>_bus     subscribers, relay, timers

Running it again changes nothing but passwords.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from shared.contracts.catalogue import SERVICES

ROOT = Path(__file__).resolve().parent.parent
LOGINS = ("owner", "web", "bus")


class MigrationFailed(Exception):
    """A migration could not be applied; the message is what the migration tool said."""


class SettingMissing(Exception):
    """Something the environment has to say is not there; the message names it."""


async def provision_from(
    environment: Mapping[str, str], seconds: float = 60, say: Callable[[str], None] = lambda what: None
) -> None:
    """Databases, logins and tables of all services on the server the environment names, once the server answers.

    WALKANDTALK_DATABASE_ADMIN_URL and WALKANDTALK_<SERVICE>_<LOGIN>_PASSWORD, or the same with _FILE behind it; an
    owner's password that is not given is made up, and forgotten after the migrations.

    :raises SettingMissing, MigrationFailed, OSError, asyncpg.PostgresError:
    """
    admin_url = _given(environment, "WALKANDTALK_DATABASE_ADMIN_URL")
    passwords = {}
    for service, login in itertools.product(SERVICES, LOGINS):
        made_up = secrets.token_urlsafe(24) if login == "owner" else None
        passwords[f"{service}_{login}"] = _given(
            environment, f"WALKANDTALK_{service.upper()}_{login.upper()}_PASSWORD", made_up
        )
    deadline = time.monotonic() + seconds
    while True:
        try:
            await provision(admin_url, passwords)
            break
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)
    for service in SERVICES:
        owner_url = login_url(admin_url, service, "owner", passwords[f"{service}_owner"])
        await asyncio.to_thread(migrate, service, owner_url)
        say(f"{service}: the database is up to date")


def _given(environment: Mapping[str, str], name: str, otherwise: str | None = None) -> str:
    if value := environment.get(name):
        return value
    if file := environment.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as fault:
            raise SettingMissing(f"{name}_FILE: {file} cannot be read") from fault
    if otherwise is None:
        raise SettingMissing(f"{name} is not set; set it, or {name}_FILE to a file that holds it")
    return otherwise


async def provision(admin_url: str, passwords: Mapping[str, str], services: tuple[str, ...] = SERVICES) -> None:
    """Create roles and databases that are missing, as the server's administrator.

    `passwords` by login name (`intake_web`); every login of every service must be there.
    """
    connection = await asyncpg.connect(admin_url)
    try:
        for group in ("walkandtalk_web", "walkandtalk_bus"):
            await _ensure_role(connection, group, None)
        for service in services:
            for login in LOGINS:
                await _ensure_role(connection, f"{service}_{login}", passwords[f"{service}_{login}"])
            for login in ("web", "bus"):
                await connection.execute(f"GRANT walkandtalk_{login} TO {service}_{login}")
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", service):
                await connection.execute(f"CREATE DATABASE {service} OWNER {service}_owner")
            await connection.execute(f"REVOKE ALL ON DATABASE {service} FROM PUBLIC")
            await connection.execute(f"GRANT CONNECT ON DATABASE {service} TO {service}_web, {service}_bus")
    finally:
        await connection.close()


async def _ensure_role(connection: asyncpg.Connection[asyncpg.Record], name: str, password: str | None) -> None:
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if exists else "CREATE"
    if password is None:
        await connection.execute(f"{verb} ROLE {name} NOLOGIN")
        return
    # Role statements take no parameters; the server quotes the password for us, so nothing is spliced by hand.
    statement = await connection.fetchval(
        "SELECT format('%s ROLE %I LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD %L', $1::text, $2::text, $3::text)",
        verb,
        name,
        password,
    )
    await connection.execute(statement)


def login_url(admin_url: str, service: str, login: str, password: str) -> str:
    """The address of a service's database for one of its logins."""
    parts = urlsplit(admin_url)
    place = f"{parts.hostname}:{parts.port or 5432}"
    return urlunsplit(("postgresql", f"{service}_{login}:{quote(password, safe='')}@{place}", f"/{service}", "", ""))


def migrations_of(service: str) -> list[Path]:
    """The folders of a service's migrations; files of both are applied in the order of their names."""
    return [ROOT / "shared" / "schema", ROOT / "services" / service / "schema"]


def migrations_needed(service: str) -> frozenset[str]:
    """The versions of all migrations this program knows; a service works once its database has them."""
    files = (file.name for folder in migrations_of(service) if folder.is_dir() for file in folder.glob("*.sql"))
    return frozenset(name.split("_")[0] for name in files)


def migrate(service: str, owner_url: str) -> None:
    """Bring a service's database up to date, as its owner.

    :raises MigrationFailed: a migration was refused; the database stands as before it.
    """
    folders = [folder for folder in migrations_of(service) if folder.is_dir()]
    command = [_dbmate(), "--no-dump-schema"]
    for folder in folders:
        command += ["--migrations-dir", str(folder)]
    done = subprocess.run(
        [*command, "migrate"],
        # The address holds a password: by environment, so that no process list shows it.
        env={"DATABASE_URL": f"{owner_url}?sslmode=disable", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise MigrationFailed(f"{service}: {done.stderr.strip() or done.stdout.strip()}")


def _dbmate() -> str:
    beside = Path(sys.executable).with_name("dbmate")
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if found is None:
        raise MigrationFailed("the migration tool is missing: install this project's requirements")
    return found
