"""What falls due: a timer's firing is the state change, its events and the timer's removal in one commit.

A kind that fails holds up no other: each is fired in its own transaction. A group that fails is tried row by row, and
what fails alone comes back later with growing distance.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from shared.database import TRANSIENT, Database, Queries, Transaction
from shared.observability import log

QUERIES: Final = Queries.read(Path(__file__).with_name("timers.sql"))
BATCH: Final = 200
LONGEST_WAIT: Final = 1.0
"""Seconds until the table is looked at again even if nothing was known to fall due: others set timers too."""
LONGEST_REST: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Due:
    """A subject (an aggregate's id) for which something is to be done at `due_at` (UTC)."""

    force_id: str
    subject: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Fired:
    """A timer that has fallen due; `due_at` is when it was to fire, however late it does."""

    force_id: str
    subject: UUID
    due_at: datetime


Handler = Callable[[Transaction, Sequence[Fired], datetime], Awaitable[object]]


async def set(tx: Transaction, kind: str, due: Sequence[Due]) -> None:
    """Set timers of one kind in the caller's transaction; one that is set already gets the new time."""
    if due:
        await tx.run(
            QUERIES.set_timers,
            kind,
            [one.force_id for one in due],
            [one.subject for one in due],
            [one.due_at for one in due],
        )


async def cancel(tx: Transaction, kind: str, force_id: str, subjects: Sequence[UUID]) -> int:
    """Cancel timers of one kind; how many there were."""
    return await tx.run(QUERIES.cancel_timers, kind, force_id, list(subjects)) if subjects else 0


class Timers:
    """What one service does when something falls due: `timers.on("follow-up-due", handlers.remind)`."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def on(self, kind: str, handler: Handler) -> None:
        """Let this handler take every timer of this kind. It may set its own timers anew.

        :raises ValueError: the kind has a handler already.
        """
        if kind in self._handlers:
            raise ValueError(f"two handlers for timers of kind {kind}")
        self._handlers[kind] = handler

    def __getitem__(self, kind: str) -> Handler:
        return self._handlers[kind]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self._handlers)


class TimerLoop:
    """Fires the timers of one service; any number of processes may."""

    def __init__(
        self, database: Database, timers: Timers, clock: Callable[[], datetime], forces: Sequence[str]
    ) -> None:
        self._database = database
        self._timers = timers
        self._clock = clock
        self._forces = tuple(forces)
        self._failures: dict[str, int] = {}
        self._rested: dict[str, float] = {}
        self._log = log(__name__)

    async def fire_due(self) -> int:
        """Fire what is due now, at most one batch a kind; how many timers fired."""
        fired = 0
        for kind in await self._due_kinds():
            try:
                fired += await self._fire(kind)
                self._failures.pop(kind, None)
            except Exception:
                self._rest(kind)
        return fired

    async def run(self, stopping: asyncio.Event) -> None:
        """Fire timers as they fall due, until `stopping` is set."""
        failures = 0
        while not stopping.is_set():
            try:
                wait = 0.0 if await self.fire_due() else await self._until_next()
                failures = 0
            except Exception as fault:
                # Nothing but the database can fail here, and this task has to outlive that.
                failures += 1
                wait = min(LONGEST_WAIT * 5, 0.1 * 2**failures)
                self._log.warning("timers cannot be read", fault=type(fault).__name__)
            if wait > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), wait)

    async def _next(self) -> dict[str, datetime]:
        """When each kind that is not resting has something to do."""
        elapsed = asyncio.get_running_loop().time()
        kinds = [kind for kind in self._timers.kinds if self._rested.get(kind, 0.0) <= elapsed]
        if not kinds:
            return {}
        async with self._database.transaction(self._forces) as tx:
            rows = await tx.fetch(QUERIES.next_timers, kinds)
        return {row["kind"]: row["next_at"] for row in rows if row["next_at"] is not None}

    async def _due_kinds(self) -> list[str]:
        now = self._clock()
        return [kind for kind, at in (await self._next()).items() if at <= now]

    async def _until_next(self) -> float:
        now = self._clock()
        waits = [(at - now).total_seconds() for at in (await self._next()).values()]
        return max(0.0, min([LONGEST_WAIT, *waits]))

    def _rest(self, kind: str) -> None:
        failures = self._failures[kind] = self._failures.get(kind, 0) + 1
        wait = min(60.0, 0.25 * 2**failures)
        self._rested[kind] = asyncio.get_running_loop().time() + wait
        self._log.warning("timers of a kind failed", kind=kind, failures=failures, exc_info=True)

    async def _fire(self, kind: str) -> int:
        now = self._clock()
        async with self._database.transaction(self._forces) as tx:
            rows = await tx.fetch(QUERIES.take_timers, kind, now, BATCH)
            taken = [(Fired(row["force_id"], row["subject"], row["due_at"]), row["tries"]) for row in rows]
            taken.sort(key=lambda one: (one[0].due_at, one[0].subject))
            if not taken:
                return 0
            try:
                async with tx.savepoint():
                    await self._timers[kind](tx, [fired for fired, _ in taken], now)
            except TRANSIENT:
                raise
            except Exception:
                self._log.warning("a timer failed, isolating it from its group", kind=kind, exc_info=True)
                failed = [one for one in taken if not await self._fire_alone(tx, kind, one[0], now)]
                await self._postpone(tx, kind, failed, now)
                return len(taken) - len(failed)
        return len(taken)

    async def _fire_alone(self, tx: Transaction, kind: str, fired: Fired, now: datetime) -> bool:
        try:
            async with tx.savepoint():
                await self._timers[kind](tx, [fired], now)
        except TRANSIENT:
            raise
        except Exception:
            self._log.error("timer postponed", kind=kind, subject=str(fired.subject), exc_info=True)
            return False
        return True

    async def _postpone(self, tx: Transaction, kind: str, failed: Sequence[tuple[Fired, int]], now: datetime) -> None:
        await tx.run(
            QUERIES.postpone_timers,
            kind,
            [fired.force_id for fired, _ in failed],
            [fired.subject for fired, _ in failed],
            [fired.due_at for fired, _ in failed],
            [now + rest(tries) for _, tries in failed],
            [tries + 1 for _, tries in failed],
        )


def rest(tries: int) -> timedelta:
    """How long to wait after this many tries before one more: doubling from five seconds to an hour, with jitter."""
    return timedelta(seconds=min(LONGEST_REST, 5.0 * 2 ** min(tries, 20)) * random.uniform(0.5, 1.0))
