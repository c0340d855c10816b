"""A process of the service in the model: every trip to database or broker is a place where it can pause, be cut or die.

Between two such places nothing a process does can be seen from outside, so a crash at any other await is the same as a
crash at the place before it.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, Final, TypeVar
from unittest.mock import patch

import asyncpg
from aiokafka.errors import KafkaConnectionError
from asyncpg import introspection

from shared.bus.outbox import QUERIES
from tests.model.loop import running_loop

T = TypeVar("T")

_current: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)
_NAMES: Final = {query.sql: name for name, query in QUERIES.items()}
_DRIVERS_OWN: Final = {
    value for name, value in vars(introspection).items() if name.isupper() and isinstance(value, str)
}
"""What asyncpg asks about types, once a connection, before it runs a statement of ours."""


class Died(BaseException):
    """The process was killed here. Not an Exception: nothing of the code under test may catch it and go on."""


class Fault(Enum):
    """What befalls a process at a place."""

    DIES = "dies"
    """Killed: its connections close, its memory is gone, it does nothing any more."""
    CUT = "is cut off"
    """It loses this one connection, and lives."""


def _abort(connection: asyncpg.Connection[Any]) -> None:
    """Close it as a death of either side does: nothing more is said on it."""
    transport: asyncio.Transport = connection._transport  # type: ignore[attr-defined]  # asyncpg keeps it to itself
    transport.abort()


class Process:
    """What runs under one process id: its tasks, its connections, and where it stands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: list[str] = []
        """Every place reached so far; place n is the n-th, counted from 1."""
        self.fault: tuple[int, Fault] | None = None
        self.dead = False
        self.allowance: int | None = None
        """How many more places it may pass before it pauses; None: it does not pause."""
        self.tasks: set[asyncio.Task[Any]] = set()
        self.connections: set[asyncpg.Connection[Any]] = set()
        self.pids: set[int] = set()
        self.calling = 0
        self.unreal = 0
        """Trips of it for which time does not stand still: they wait for a lock that a paused process holds."""
        self._turn: asyncio.Event | None = None
        self._waiting = 0

    def start(self, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Run work as this process."""
        context = contextvars.copy_context()
        context.run(_current.set, self)
        task = asyncio.get_running_loop().create_task(work(), context=context)
        self.tasks.add(task)
        return task

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Run work as this process to its end; None if it died on the way."""
        task = self.start(work)
        try:
            return await task
        except (Exception, Died):
            # In a dead process a second fault, of its clean-up, may hide that it died.
            if not self.dead:
                raise
            return None
        finally:
            self.tasks.discard(task)

    @property
    def pausing(self) -> bool:
        """It stands at a place until it is allowed on."""
        return self._waiting > 0 and self.allowance == 0

    @property
    def finished(self) -> bool:
        return all(task.done() for task in self.tasks)

    def allow(self, places: int | None) -> None:
        """Let it go on past so many places; None: without end."""
        self.allowance = places
        if self._turn is not None:
            self._turn.set()
            self._turn = None

    def die(self) -> None:
        """Everything it held is closed, and whatever of it still runs ends at the next place without effect."""
        self.dead = True
        for connection in self.connections:
            _abort(connection)
        self.allow(None)

    async def place(self, name: str, cut: Callable[[], Exception]) -> None:
        """Be at a place: die, be cut off, pause, or go on."""
        if self.dead:
            raise Died
        self.places.append(name)
        while self.allowance == 0:
            self._turn = self._turn or asyncio.Event()
            self._waiting += 1
            try:
                await self._turn.wait()
            finally:
                self._waiting -= 1
            if self.dead:
                raise Died
        if self.allowance is not None:
            self.allowance -= 1
        if self.fault is not None and self.fault[0] == len(self.places):
            if self.fault[1] is Fault.DIES:
                self.die()
                raise Died
            told = cut()
            # Long enough for the client to learn that its connection is gone.
            await asyncio.sleep(0)
            raise told

    async def trip(self, name: str, go: Callable[[], Awaitable[T]], cut: Callable[[], Exception]) -> T:
        """A trip to a server, with a place before it and one after it: done there, but not heard of here."""
        await self.place(f"before {name}", cut)
        self.calling += 1
        running_loop().under_way += 1
        refused: Exception | None = None
        try:
            result = await go()
        except Exception as fault:
            if self.dead:
                raise Died from fault
            refused = fault
        finally:
            self.calling -= 1
            if self.unreal:
                self.unreal -= 1
            else:
                running_loop().under_way -= 1
        if refused is not None:
            await self.place(f"after {name}, refused", cut)
            raise refused
        await self.place(f"after {name}", cut)
        return result

    def wait_for_lock(self) -> None:
        """Its trips wait for a lock that another holds: time goes on without them."""
        running_loop().under_way -= self.calling - self.unreal
        self.unreal = self.calling

    def expect_answer(self) -> None:
        """The lock may be free soon: time stands still again until its trips are answered."""
        running_loop().under_way += self.unreal
        self.unreal = 0


async def at_the_broker(name: str, go: Callable[[], T]) -> T:
    """A trip of the current process to the simulated broker, where it takes no time."""
    process = _current.get()
    if process is None:
        return go()

    def cut() -> Exception:
        fault: Exception = KafkaConnectionError("cut off by the test")
        return fault

    await process.place(f"before {name}", cut)
    result = go()
    await process.place(f"after {name}", cut)
    return result


class _Watched:
    """The protocol object of an asyncpg connection: each statement is a trip of its process, if it has one."""

    def __init__(self, real: Any, process: Process | None, connection: asyncpg.Connection[Any]) -> None:
        self._real, self._process, self._connection = real, process, connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def _cut(self) -> Exception:
        _abort(self._connection)
        return asyncpg.ConnectionDoesNotExistError("cut off by the test")

    async def _trip(self, statement: str, go: Callable[[], Awaitable[T]]) -> T:
        if self._process is None or statement in _DRIVERS_OWN or "current_setting('jit')" in statement:
            return await self._unseen(go)
        return await self._process.trip(_short(statement), go, self._cut)

    async def _unseen(self, go: Callable[[], Awaitable[T]]) -> T:
        if self._process is not None and self._process.dead:
            raise Died
        try:
            with running_loop().real():
                return await go()
        except Exception as fault:
            if self._process is not None and self._process.dead:
                raise Died from fault
            raise

    async def query(self, query: str, timeout: float | None) -> Any:  # noqa: ASYNC109  # as asyncpg calls it
        return await self._trip(query, lambda: self._real.query(query, timeout))

    async def bind_execute(self, state: Any, **arguments: Any) -> Any:
        return await self._trip(state.query, lambda: self._real.bind_execute(state, **arguments))

    async def bind_execute_many(self, state: Any, **arguments: Any) -> Any:
        return await self._trip(state.query, lambda: self._real.bind_execute_many(state, **arguments))

    async def prepare(self, *arguments: Any, **named: Any) -> Any:
        # Nothing of it can be seen from outside; it happens once a connection and statement.
        return await self._unseen(lambda: self._real.prepare(*arguments, **named))

    async def close_statement(self, *arguments: Any) -> Any:
        return await self._unseen(lambda: self._real.close_statement(*arguments))

    async def close(self, timeout: float | None) -> Any:  # noqa: ASYNC109  # as asyncpg calls it
        return await self._unseen(lambda: self._real.close(timeout))


def _short(statement: str) -> str:
    return _NAMES.get(statement) or " ".join(statement.partition(";")[0].split()[:3])


_connect = asyncpg.connect
_create_pool = asyncpg.create_pool


async def _connect_as_current(*arguments: Any, **named: Any) -> Any:
    process = _current.get()
    if process is None:
        with running_loop().real():
            connection = await _connect(*arguments, **named)
    else:
        connection = await process.trip(
            "connect", lambda: _connect(*arguments, **named), lambda: ConnectionRefusedError("cut off by the test")
        )
        process.connections.add(connection)
        process.pids.add(connection.get_server_pid())
    connection._protocol = _Watched(connection._protocol, process, connection)
    return connection


def _create_pool_as_current(*arguments: Any, **named: Any) -> Any:
    return _create_pool(*arguments, connect=_connect_as_current, **named)


@contextmanager
def connections_belong_to_processes() -> Iterator[None]:
    """Whoever connects to PostgreSQL meanwhile does so as the current process."""
    with (
        patch.object(asyncpg, "connect", _connect_as_current),
        patch.object(asyncpg, "create_pool", _create_pool_as_current),
    ):
        yield
