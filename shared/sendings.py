"""What leaves for the outside world: at least once, with the sending's id as its idempotency key.

The service keeps what is said in a table of its own; here stands only when it goes, by which channel, and what became
of it. A channel is called outside any transaction, under a lease: if its process dies, another sends again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from shared.database import TRANSIENT, Database, Queries, Query, Transaction
from shared.observability import log
from shared.timers import rest

QUERIES: Final = Queries.read(Path(__file__).with_name("sendings.sql"))
LEASE: Final = timedelta(seconds=60)
PATIENCE: Final = 45.0
"""Seconds a channel may take; well inside the lease, so that nothing is sent by two at once."""
MOST_TRIES: Final = 30
"""About a day of trying; after that a person has to see to it."""
LONGEST_WAIT: Final = 1.0
GRACE: Final = 8.0
"""Seconds that what is on its way gets when the service stops; what is cut off is sent again after its lease."""


class Undeliverable(Exception):
    """The channel will never take this. The reason is stored and shown to staff: no personal data in it."""


class NoLonger(Exception):
    """It must not leave any more, though the channel would take it: cancelled for this reason, and no failure."""


class NotYet(Exception):
    """Rules of whom it goes to do not let it go now, but from `at` (UTC) on. No failure, and counted as none."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at


@dataclass(frozen=True, slots=True)
class Sending:
    """Something of this force to leave by this channel, not before `due_at` (UTC)."""

    force_id: str
    id: UUID
    channel: str
    due_at: datetime


Channel = Callable[[str, UUID], Awaitable[None]]
"""Sends what stands under (force_id, id). Raises Undeliverable to give up, NoLonger where it must not leave, NotYet to
be called again at a certain time; anything else it raises means: later."""


async def schedule(tx: Transaction, sendings: Sequence[Sending]) -> None:
    """Schedule sendings in the caller's transaction; one that is still to go gets the new time."""
    if sendings:
        distinct = {(one.force_id, one.id): one for one in sendings}.values()
        await tx.run(
            QUERIES.schedule,
            [one.force_id for one in distinct],
            [one.id for one in distinct],
            [one.channel for one in distinct],
            [one.due_at for one in distinct],
        )


async def cancel(tx: Transaction, force_id: str, ids: Sequence[UUID]) -> int:
    """Cancel what has not been sent yet; how many there were."""
    return await tx.run(QUERIES.cancel_sendings, force_id, list(ids)) if ids else 0


async def forget(tx: Transaction, force_id: str, ids: Sequence[UUID]) -> None:
    """Cancel these, and keep nothing of those that were sent: what they said is erased."""
    await tx.run(QUERIES.forget_sendings, force_id, list(ids))


async def done(tx: Transaction, force_id: str, id: UUID, at: datetime) -> None:
    """What was still to go has gone: a person posted it, or its receipt came before the channel's word."""
    await tx.run(QUERIES.mark_sent, force_id, id, at)


async def again(tx: Transaction, force_id: str, id: UUID, due_at: datetime) -> None:
    """What the channel took has not arrived: it is to go once more."""
    await tx.run(QUERIES.send_again, force_id, id, due_at)


async def fail(tx: Transaction, force_id: str, id: UUID, at: datetime, fault: str) -> None:
    """What the channel took will never arrive. `fault` is shown to staff: no personal data in it."""
    await tx.run(QUERIES.fail_sent, force_id, id, at, fault)


@dataclass(frozen=True, slots=True)
class _Claim:
    force_id: str
    id: UUID
    until: datetime
    tries: int


class Sender:
    """Sends what is due; any number of processes may. Each channel goes at its own pace."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        clock: Callable[[], datetime],
        forces: Sequence[str],
        *,
        at_once: int = 4,
        lease: timedelta = LEASE,
        patience: float = PATIENCE,
    ) -> None:
        """`at_once`: how many calls of one channel may be under way together."""
        self._database = database
        self._channels = dict(channels)
        self._clock = clock
        self._forces = tuple(forces)
        self._at_once = at_once
        self._lease = lease
        self._patience = patience
        self._log = log(__name__)

    async def send_due(self) -> int:
        """Send what is due now, each thing tried once at most; how many the channels took."""
        return sum(await asyncio.gather(*(self._drain(channel) for channel in self._channels)))

    async def run(self, stopping: asyncio.Event) -> None:
        """Send as things fall due, until `stopping` is set; what is on its way then gets a moment to arrive."""
        async with asyncio.TaskGroup() as lanes:
            for channel in self._channels:
                lanes.create_task(self._run(channel, stopping))

    async def _drain(self, channel: str) -> int:
        sent = 0
        now = self._clock()
        while claims := await self._claim(channel, now, self._at_once):
            sent += sum(await asyncio.gather(*(self._deliver(channel, claim) for claim in claims)))
        return sent

    async def _run(self, channel: str, stopping: asyncio.Event) -> None:
        under_way: set[asyncio.Task[bool]] = set()
        stopped = asyncio.create_task(stopping.wait())
        failures = 0
        try:
            while not stopping.is_set():
                wait: float | None = None
                if len(under_way) < self._at_once:
                    try:
                        claims = await self._claim(channel, self._clock(), self._at_once - len(under_way))
                        under_way |= {asyncio.create_task(self._deliver(channel, claim)) for claim in claims}
                        wait = LONGEST_WAIT if claims else await self._until_next(channel)
                        failures = 0
                    except TRANSIENT as fault:
                        failures += 1
                        wait = min(LONGEST_WAIT * 5, 0.1 * 2**failures)
                        self._log.warning("sendings cannot be read", channel=channel, fault=type(fault).__name__)
                done, _ = await asyncio.wait({stopped, *under_way}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                under_way -= done
            if under_way:
                await asyncio.wait(under_way, timeout=GRACE)
        finally:
            for task in (stopped, *under_way):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await stopped

    async def _claim(self, channel: str, now: datetime, many: int) -> list[_Claim]:
        async with self._database.transaction(self._forces) as tx:
            rows = await tx.fetch(QUERIES.claim, channel, now, now + self._lease, many)
        return [_Claim(row["force_id"], row["id"], row["claimed_until"], row["tries"]) for row in rows]

    async def _until_next(self, channel: str) -> float:
        async with self._database.transaction(self._forces) as tx:
            at = await tx.fetch_value(QUERIES.next_sending, channel)
        # A floor, because what is due but locked by another sender would otherwise be asked for without end.
        return LONGEST_WAIT if at is None else min(LONGEST_WAIT, max(0.05, (at - self._clock()).total_seconds()))

    async def _deliver(self, channel: str, claim: _Claim) -> bool:
        """Call the channel and keep what became of it; whether it was sent."""
        try:
            async with asyncio.timeout(self._patience):
                await self._channels[channel](claim.force_id, claim.id)
        except Undeliverable as fault:
            self._log.error("given up", channel=channel, sending=str(claim.id), reason=str(fault))
            await self._keep(QUERIES.mark_failed, claim, claim.until, self._clock(), str(fault)[:200])
            return False
        except NoLonger as fault:
            await self._keep(QUERIES.mark_cancelled, claim, claim.until, self._clock(), str(fault)[:200])
            return False
        except NotYet as fault:
            await self._keep(QUERIES.postpone, claim, claim.until, fault.at, None)
            return False
        except Exception as fault:
            # A channel's own message may hold an address, so only the class of the fault is kept.
            what = type(fault).__name__
            self._log.warning("not sent", channel=channel, sending=str(claim.id), tries=claim.tries, exc_info=True)
            if claim.tries >= MOST_TRIES:
                await self._keep(QUERIES.mark_failed, claim, claim.until, self._clock(), what)
            else:
                later = self._clock() + rest(claim.tries - 1)
                await self._keep(QUERIES.postpone, claim, claim.until, later, what)
            return False
        await self._keep(QUERIES.mark_sent, claim, self._clock())
        return True

    async def _keep(self, query: Query, claim: _Claim, *arguments: object) -> None:
        """Keep what became of a sending; if the database stays away the lease runs out and it is sent again."""
        for attempt in range(6):
            try:
                async with self._database.transaction([claim.force_id]) as tx:
                    await tx.run(query, claim.force_id, claim.id, *arguments)
                return
            except TRANSIENT as fault:
                self._log.warning("a sending's end is not kept yet", fault=type(fault).__name__)
                await asyncio.sleep(0.1 * 2**attempt)
            except Exception:
                self._log.error("a sending's end cannot be kept", sending=str(claim.id), exc_info=True)
                return
