"""Four databases that hold so many walks of five years, for a register as long as the largest force's."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from shared.contracts.catalogue import SERVICES
from shared.database import Database, Queries
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port
from shared.provisioning import LOGINS, login_url, migrate, provision

_SQL: Final = Queries.read(Path(__file__).with_name("world.sql"))
FORCE: Final = "metropolitan"


@dataclass(frozen=True, slots=True)
class World:
    """Four services' databases with `walks` walks in them, one session each, and one walk among them."""

    walks: int
    databases: dict[str, Database]
    admin: asyncpg.Connection[asyncpg.Record]
    walk: UUID
    request: UUID
    reference: UUID
    pair: UUID

    async def pages(self) -> int:
        """Pages all sessions that have told so far looked at, in memory or not."""
        found = await self.admin.fetchval(
            "SELECT sum(hits) + sum(reads) FROM pg_stat_io WHERE backend_type = 'client backend'"
        )
        return int(found)


@asynccontextmanager
async def worlds(sizes: list[int], told: Callable[[], None]) -> AsyncIterator[list[World]]:
    """A world of each size on one server, gone afterwards."""
    folder = _folder()
    postgres = EmbeddedPostgres(folder / "postgres", free_port())
    made: list[World] = []
    try:
        await asyncio.to_thread(postgres.start)
        passwords = {f"{service}_{login}": secrets.token_urlsafe(12) for service in SERVICES for login in LOGINS}
        await provision(postgres.admin_url, passwords)
        for service in SERVICES:
            owner = login_url(postgres.admin_url, service, "owner", passwords[f"{service}_owner"])
            await asyncio.to_thread(migrate, service, owner)
        for walks in sizes:
            made.append(await _made(postgres.admin_url, passwords, walks))
            told()
        yield made
    finally:
        for world in made:
            for database in world.databases.values():
                await database.close()
            await world.admin.close()
        postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    found = Path(tempfile.mkdtemp(prefix="walkandtalk-bench-"))
    found.chmod(0o711)  # a PostgreSQL started by root runs as another user
    return found


async def _made(admin_url: str, passwords: dict[str, str], walks: int) -> World:
    databases: dict[str, Database] = {}
    admin = await asyncpg.connect(admin_url)
    one: asyncpg.Record | None = None
    for service in SERVICES:
        name = f"{service}_{walks}"
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {service} OWNER {service}_owner")
        connection = await asyncpg.connect(admin_url.rsplit("/", 1)[0] + "/" + name, command_timeout=None)
        for query in _SQL.values():
            if query.sql.startswith("CREATE FUNCTION") or query.name == f"{service}_register":
                await connection.execute(query.sql)
            elif query.name.startswith(f"{service}_"):
                await connection.execute(query.sql, walks)
        one = await connection.fetchrow(_SQL.a_walk.sql, walks)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        login = "web" if service != "feedback" else "bus"
        url = login_url(admin_url, service, login, passwords[f"{service}_{login}"])
        databases[service] = Database(url.rsplit("/", 1)[0] + "/" + name, largest=1)
        await databases[service].open()
    await admin.execute("CHECKPOINT")
    assert one is not None
    return World(walks, databases, admin, one["walk"], one["request"], one["reference"], one["pair"])
