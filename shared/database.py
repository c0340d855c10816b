"""One PostgreSQL database a service: pool, transactions bound to the forces they may touch, named queries."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

_FORCE = re.compile(r"^[a-z][a-z0-9-]{1,40}$")
_HEADING = re.compile(r"^-- ([a-z][a-z0-9_]*)$")

Row = asyncpg.Record

TRANSIENT: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What a statement meets that is sent between the server's last words and the end of its connection.
    asyncpg.InternalClientError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.CannotConnectNowError,
    asyncpg.ReadOnlySQLTransactionError,
    # The database or the login is still being made, or a password is being changed.
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
)
"""Faults of the moment, not of the data: the same work may succeed later, unchanged."""

_NOT_MIGRATED: tuple[type[Exception], ...] = (
    *TRANSIENT,
    asyncpg.UndefinedTableError,
    asyncpg.InsufficientPrivilegeError,
)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement of a file of queries: its name, the sentence that says why it is there, and its SQL."""

    name: str
    purpose: str
    sql: str


def _statements(file: Path) -> Iterator[Query]:
    """The statements of a file in their order.

    :raises ValueError: one lacks its name or its sentence.
    """
    for block in re.split(r"\n\s*\n(?=-- [a-z][a-z0-9_]*\n)", file.read_text(encoding="utf-8").strip()):
        name = ""
        purpose: list[str] = []
        sql: list[str] = []
        for line in block.splitlines():
            heading = _HEADING.match(line)
            if heading and not name:
                name = heading[1]
            elif line.startswith("-- ") and not sql:
                purpose.append(line[3:])
            else:
                sql.append(line)
        if not name or not purpose:
            raise ValueError(f"{file}: a statement lacks its name or sentence: {name!r}")
        yield Query(name, " ".join(purpose), "\n".join(sql).strip().rstrip(";"))


class Queries(Mapping[str, Query]):
    """The named statements of one queries.sql, or of a folder of such files, read once.

    A file is blocks of `-- name`, one or more `-- sentence.` lines, then the statement; blank lines between.
    """

    def __init__(self, found: Mapping[str, Query]) -> None:
        self._found = dict(found)

    @classmethod
    def read(cls, path: Path) -> Queries:
        """Read a file, or every `.sql` file of a folder.

        :raises ValueError: a statement lacks its name or its sentence, a name stands twice in all, or there is none.
        """
        files = sorted(path.glob("*.sql")) if path.is_dir() else [path]
        if not files:
            raise ValueError(f"{path}: there are no queries")
        found: dict[str, Query] = {}
        for file in files:
            for query in _statements(file):
                if query.name in found:
                    raise ValueError(f"{file}: a statement is named twice: {query.name!r}")
                found[query.name] = query
        return cls(found)

    def __getattr__(self, name: str) -> Query:
        try:
            return self._found[name]
        except KeyError:
            raise AttributeError(f"no query is named {name}") from None

    def __getitem__(self, name: str) -> Query:
        return self._found[name]

    def __iter__(self) -> Any:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class Transaction:
    """An open transaction that sees and writes rows of `forces` alone (row-level security, forced)."""

    __slots__ = ("connection", "forces")

    def __init__(self, connection: asyncpg.Connection[Row], forces: tuple[str, ...]) -> None:
        self.connection = connection
        self.forces = forces

    async def fetch(self, query: Query, *arguments: Any) -> Sequence[Row]:
        """All rows."""
        return await self.connection.fetch(query.sql, *arguments)

    async def fetch_row(self, query: Query, *arguments: Any) -> Row | None:
        """The first row, or None."""
        return await self.connection.fetchrow(query.sql, *arguments)

    async def fetch_value(self, query: Query, *arguments: Any) -> Any:
        """The first column of the first row, or None."""
        return await self.connection.fetchval(query.sql, *arguments)

    async def run(self, query: Query, *arguments: Any) -> int:
        """Run a statement; how many rows it touched."""
        status = await self.connection.execute(query.sql, *arguments)
        last = status.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what was done inside when it raises, keep the rest of the transaction."""
        await self.connection.execute("SAVEPOINT here")
        try:
            yield
        except BaseException:
            # Released as well: left standing it would be what an outer savepoint of the same name rolls back to.
            await self.connection.execute("ROLLBACK TO SAVEPOINT here; RELEASE SAVEPOINT here")
            raise
        else:
            await self.connection.execute("RELEASE SAVEPOINT here")


class Database:
    """A pool of connections to one service's database, under one of its roles."""

    def __init__(self, url: str, *, largest: int = 10, name: str = "walkandtalk") -> None:
        self._url = url
        self._largest = largest
        self._name = name
        self._pool: asyncpg.Pool[Row] | None = None

    async def open(self) -> None:
        """Open the pool without connecting: a service starts while its database is still away."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._largest,
            init=_prepare,
            reset=_leave_clean,
            command_timeout=60,
            timeout=10,
            server_settings={"application_name": self._name, "timezone": "UTC", "jit": "off"},
        )

    @property
    def url(self) -> str:
        return self._url

    @property
    def pool(self) -> asyncpg.Pool[Row]:
        """The open pool.

        :raises RuntimeError: the database was not opened.
        """
        if self._pool is None:
            raise RuntimeError("the database was not opened")
        return self._pool

    async def close(self) -> None:
        """Wait a moment for what is running, then close every connection."""
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 3)
            except TRANSIENT:
                self._pool.terminate()
            self._pool = None

    @asynccontextmanager
    async def transaction(self, forces: Iterable[str]) -> AsyncIterator[Transaction]:
        """A transaction for these forces: one for a web request, those of its batch for the bus.

        Commits on leaving, rolls back on any exception.
        """
        permitted = permit(forces)
        async with self.pool.acquire() as acquired:
            connection: Any = acquired
            await connection.execute(f"BEGIN; SELECT set_config('walkandtalk.forces', '{permitted}', true)")
            try:
                yield Transaction(connection, tuple(permitted.split(",")))
            except BaseException:
                await _roll_back(connection)
                raise
            await connection.execute("COMMIT")

    async def holds(self, migrations: Iterable[str]) -> bool:
        """Whether these migrations (by version) were applied; False as well while the database does not answer."""
        wanted = sorted(set(migrations))
        try:
            async with self.pool.acquire(timeout=2) as connection:
                there = await connection.fetchval(
                    "SELECT count(*) FROM schema_migrations WHERE version = ANY ($1::text[])", wanted, timeout=2
                )
        except _NOT_MIGRATED:
            return False
        return bool(there == len(wanted))


async def _roll_back(connection: Any) -> None:
    """Roll back; a connection that cannot any more is torn down, so that the first fault is the one told."""
    if connection.is_closed():
        return
    try:
        await connection.execute("ROLLBACK", timeout=5)
    except Exception:
        connection.terminate()


def permit(forces: Iterable[str]) -> str:
    """The value of the setting that row-level security reads.

    :raises ValueError: something is not a force's slug, so it cannot stand in a statement.
    """
    distinct = sorted(set(forces))
    for force in distinct:
        if not _FORCE.match(force):
            raise ValueError("a force id is not a slug")
    return ",".join(distinct)


async def _prepare(connection: asyncpg.Connection[Row]) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, schema="pg_catalog", encoder=_encode, decoder=json.loads)


def _encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def _leave_clean(connection: asyncpg.Connection[Row]) -> None:
    # Everything we set is local to its transaction, so the usual reset is a trip to the server for nothing.
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")
