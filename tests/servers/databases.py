"""A migrated database a test: cloned from a template that is migrated once a session."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import asyncpg
import pytest

from shared.contracts.catalogue import SERVICES
from shared.database import Database
from shared.provisioning import LOGINS, login_url, migrate, provision


class Server(Protocol):
    admin_url: str


@dataclass(frozen=True)
class Templates:
    """A server with one migrated, never used database a service."""

    admin_url: str
    passwords: dict[str, str]

    def url(self, service: str, login: str, name: str | None = None) -> str:
        url = login_url(self.admin_url, service, login, self.passwords[f"{service}_{login}"])
        return url if name is None else url.rsplit("/", 1)[0] + "/" + name


@dataclass(frozen=True)
class ServiceDatabase:
    """One service's database under its roles. `admin` sees everything: for what a test looks up."""

    web: Database
    bus: Database
    web_url: str
    bus_url: str
    admin_url: str


class ServiceDatabaseMaker(Protocol):
    async def __call__(self, service: str) -> ServiceDatabase: ...


_number = itertools.count()
T = TypeVar("T")


def beside(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: in browser tests Playwright's loop already runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def templates(postgres_server: Server) -> Iterator[Templates]:
    passwords = {f"{service}_{login}": secrets.token_urlsafe(12) for service in SERVICES for login in LOGINS}
    beside(provision(postgres_server.admin_url, passwords))
    found = Templates(postgres_server.admin_url, passwords)
    for service in SERVICES:
        migrate(service, found.url(service, "owner"))
    yield found


@pytest.fixture
async def database(templates: Templates) -> AsyncIterator[ServiceDatabaseMaker]:
    """`await database("partners")`: a fresh migrated database of that service, dropped after the test."""
    async with AsyncExitStack() as stack:
        admin = await asyncpg.connect(templates.admin_url)
        stack.push_async_callback(admin.close)

        async def make(service: str) -> ServiceDatabase:
            name = f"{service}_{next(_number)}_{secrets.token_hex(3)}"
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {service} OWNER {service}_owner")
            await admin.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
            await admin.execute(f"GRANT CONNECT ON DATABASE {name} TO {service}_web, {service}_bus")

            async def drop() -> None:
                await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

            stack.push_async_callback(drop)
            web_url, bus_url = templates.url(service, "web", name), templates.url(service, "bus", name)
            web, bus = Database(web_url), Database(bus_url)
            for one in (web, bus):
                await one.open()
                stack.push_async_callback(one.close)
            return ServiceDatabase(web, bus, web_url, bus_url, templates.admin_url.rsplit("/", 1)[0] + "/" + name)

        yield make


@pytest.fixture
def database_for_browser(templates: Templates) -> Iterator[Callable[[str], ServiceDatabase]]:
    """`database_for_browser("feedback")`: the same for tests in a browser. Its pools stay closed: use its addresses."""
    with ExitStack() as stack:

        def run(statement: str) -> None:
            async def execute() -> None:
                admin = await asyncpg.connect(templates.admin_url)
                try:
                    await admin.execute(statement)
                finally:
                    await admin.close()

            beside(execute())

        def make(service: str) -> ServiceDatabase:
            name = f"{service}_{next(_number)}_{secrets.token_hex(3)}"
            run(f"CREATE DATABASE {name} TEMPLATE {service} OWNER {service}_owner")
            stack.callback(run, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            web_url, bus_url = templates.url(service, "web", name), templates.url(service, "bus", name)
            admin_url = templates.admin_url.rsplit("/", 1)[0] + "/" + name
            return ServiceDatabase(Database(web_url), Database(bus_url), web_url, bus_url, admin_url)

        yield make
