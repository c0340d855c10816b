"""What a force keeps no longer goes: daily, in batches, a commit each. A report says what would go, by the same query.

A kind of thing is a statement `retention_<kind>` in the service's queries and a field `<kind>_days` of the policy. The
statement is given a force and a moment, and tells of everything of which the last has happened before it: its id, since
when, and why it is kept all the same, if it is. What is done with those that are not kept is the service's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared import audit, timers
from shared.contracts.policy import ForcePolicy
from shared.database import TRANSIENT, Database, Queries, Query, Transaction
from shared.observability import log
from shared.timers import Due, Fired, Timers
from shared.working_days import LONDON, day

DAILY: Final = "retention"
"""The timer of a force's night. A batch that leaves something behind comes back at once."""
CONFIRMED: Final = "retention-confirmed"
"""The same once a person has said that as much as this is meant to go."""
BATCH: Final = 100
NIGHT: Final = time(3, 30)
"""On a London clock: neither change of the clock skips or repeats it."""
NEVER_MANY: Final = 50
LARGEST_SHARE: Final = 0.2
"""More than this part of all there is at once, and more than NEVER_MANY, is a mistake in the policy, or a first run:
nothing goes until a person says so."""

_PREFIX: Final = "retention_"
_END_OF_TIME: Final = datetime(9000, 1, 1, tzinfo=UTC)
_NIGHT_OF: Final = UUID("5b0c2f0e-6d2c-4a57-8f0a-2d3b9a5e7c41")
_SERVICES: Final = Path(__file__).parents[1] / "services"

Take = Callable[[Transaction, str, Sequence[Any], datetime, datetime], Awaitable[object]]
"""Lets go of these ids of a force, of which the last has happened before a moment: `take(tx, force, ids, before, now)`.
Whatever has become open since it was looked for stays."""


@dataclass(frozen=True, slots=True)
class Found:
    """What of a kind is past its time in a force: how much would go and since when, how much is kept, by why."""

    going: int
    oldest: datetime | None
    kept: Mapping[str, int]
    of: int
    """How much there is of this kind in all."""

    @property
    def too_much(self) -> bool:
        """Whether a person has to say that this is meant."""
        return self.going > NEVER_MANY and self.going > LARGEST_SHARE * self.of


class Kind:
    """A kind of thing that is kept for so many days: which are past their time."""

    def __init__(self, query: Query) -> None:
        self.name = query.name.removeprefix(_PREFIX)
        self._count = Query(
            f"{query.name}_count",
            "How many there are, by why they are kept, and since when the oldest is past its time.",
            f"SELECT kept, count(*) AS many, min(since) AS oldest FROM ({query.sql}) AS past GROUP BY kept",  # noqa: S608 - our own statement
        )
        self._going = Query(
            f"{query.name}_going",
            "The next that are not kept.",
            f"SELECT id FROM ({query.sql}) AS past WHERE kept IS NULL ORDER BY id LIMIT $3",  # noqa: S608 - as above
        )

    def days(self, chosen: ForcePolicy) -> int:
        """For how many days a force keeps it."""
        found: int = getattr(chosen.retention, f"{self.name}_days")
        return found

    def before(self, chosen: ForcePolicy, now: datetime) -> datetime:
        """Past its time is what last happened before this moment."""
        return past(self.days(chosen), day(now))

    async def look(self, tx: Transaction, chosen: ForcePolicy, now: datetime) -> Found:
        """How much is past its time, and how much there is in all."""
        by_why = await tx.fetch(self._count, chosen.force_id, self.before(chosen, now))
        everything = await tx.fetch(self._count, chosen.force_id, _END_OF_TIME)
        going = next((row for row in by_why if row["kept"] is None), None)
        return Found(
            going["many"] if going else 0,
            going["oldest"] if going else None,
            {row["kept"]: row["many"] for row in by_why if row["kept"] is not None},
            sum(row["many"] for row in everything),
        )

    async def next(self, tx: Transaction, chosen: ForcePolicy, now: datetime) -> list[Any]:
        """The next that are to go."""
        rows = await tx.fetch(self._going, chosen.force_id, self.before(chosen, now), BATCH)
        return [row["id"] for row in rows]


def past(days: int, today: date) -> datetime:
    """The moment (UTC) before which a thing was done with that is kept for so many whole days, on a London calendar."""
    return datetime.combine(today - timedelta(days=days), time(0), LONDON).astimezone(UTC)


def kinds_of(service: str) -> list[Kind]:
    """What of a service has a time after which it goes."""
    folder = _SERVICES / service
    queries = Queries.read(folder / "queries" if (folder / "queries").is_dir() else folder / "queries.sql")
    return [Kind(query) for name, query in sorted(queries.items()) if name.startswith(_PREFIX)]


class RetentionMetrics:
    """What went, what could not, and whether it waits for a person."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.erased = Counter(
            "walkandtalk_retention_erased",
            "What went because it was past its time.",
            ("force", "kind"),
            registry=registry,
        )
        self.failed = Counter(
            "walkandtalk_retention_failed", "What should have gone and could not.", ("force", "kind"), registry=registry
        )
        self.stopped = Gauge(
            "walkandtalk_retention_stopped",
            "1 where so much would go that a person has to say it is meant.",
            ("force", "kind"),
            registry=registry,
        )


class Retention:
    """Lets go of what one service's forces keep no longer."""

    def __init__(
        self,
        service: str,
        policies: Mapping[str, ForcePolicy],
        takes: Mapping[str, Take],
        metrics: RetentionMetrics,
    ) -> None:
        """`takes`: what is done with those of each kind that has a statement.

        :raises ValueError: a statement has no `take`, or the other way about.
        """
        self._kinds = kinds_of(service)
        self._policies = policies
        self._takes = takes
        self._metrics = metrics
        self._log = log(__name__)
        if {kind.name for kind in self._kinds} != set(takes):
            raise ValueError(f"{service}: statements {[kind.name for kind in self._kinds]}, handlers {sorted(takes)}")

    def on(self, due: Timers) -> None:
        """Have timers of a night, and of one that a person confirmed, do it."""
        if self._kinds:
            due.on(DAILY, self._night)
            due.on(CONFIRMED, self._confirmed)

    async def start(self, database: Database, now: datetime) -> None:
        """Do a night's work at every start, whatever nights were missed."""
        if self._kinds:
            async with database.transaction(self._policies) as tx:
                await ask_for(tx, DAILY, list(self._policies), now)

    async def _night(self, tx: Transaction, fired: Sequence[Fired], now: datetime) -> None:
        for one in fired:
            more = await self._batch(tx, self._policies[one.force_id], now, confirmed=False)
            await ask_for(tx, DAILY, [one.force_id], now if more else next_night(now))

    async def _confirmed(self, tx: Transaction, fired: Sequence[Fired], now: datetime) -> None:
        for one in fired:
            if await self._batch(tx, self._policies[one.force_id], now, confirmed=True):
                await ask_for(tx, CONFIRMED, [one.force_id], now)

    async def _batch(self, tx: Transaction, chosen: ForcePolicy, now: datetime, *, confirmed: bool) -> bool:
        """A batch of each kind; whether there is more."""
        more = False
        for kind in self._kinds:
            labels = (chosen.force_id, kind.name)
            found = await kind.look(tx, chosen, now)
            stopped = found.too_much and not confirmed
            self._metrics.stopped.labels(*labels).set(stopped)
            if stopped:
                self._log.error("so much is past its time that a person has to say it is meant", kind=kind.name)
            elif found.going:
                ids = await kind.next(tx, chosen, now)
                gone = await self._take(tx, kind, chosen, ids, now)
                why = f"{gone} past the {kind.days(chosen)} days for which the policy keeps them"
                if gone:
                    await audit.record(tx, [audit.Entry(chosen.force_id, "retention", "erased", kind.name, why)], now)
                self._metrics.erased.labels(*labels).inc(gone)
                # Of a batch of which nothing could go the next would be the same.
                more = more or (found.going > len(ids) and gone > 0)
        return more

    async def _take(self, tx: Transaction, kind: Kind, chosen: ForcePolicy, ids: Sequence[Any], now: datetime) -> int:
        """Let go of these; where one cannot, of the others. How many went."""
        take, before = self._takes[kind.name], kind.before(chosen, now)
        try:
            async with tx.savepoint():
                await take(tx, chosen.force_id, ids, before, now)
            return len(ids)
        except TRANSIENT:
            raise
        except Exception:
            self._log.warning("one could not go, isolating it from its batch", kind=kind.name, exc_info=True)
        gone = 0
        for id_ in ids:
            try:
                async with tx.savepoint():
                    await take(tx, chosen.force_id, [id_], before, now)
                gone += 1
            except TRANSIENT:
                raise
            except Exception:
                self._metrics.failed.labels(chosen.force_id, kind.name).inc()
                self._log.error("past its time and cannot go", kind=kind.name, id=str(id_), exc_info=True)
        return gone


async def ask_for(tx: Transaction, timer: str, forces: Sequence[str], at: datetime) -> None:
    """Have it done at a moment."""
    await timers.set(tx, timer, [Due(force, uuid5(_NIGHT_OF, force), at) for force in forces])


def next_night(now: datetime) -> datetime:
    """When (UTC) the next night's work begins."""
    tonight = datetime.combine(day(now), NIGHT, LONDON).astimezone(UTC)
    tomorrow = datetime.combine(day(now) + timedelta(days=1), NIGHT, LONDON).astimezone(UTC)
    return tonight if tonight > now else tomorrow


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the report; nothing in it is of a person."""

    force_id: str
    kind: str
    days: int
    found: Found


async def report(database: Database, service: str, policies: Mapping[str, ForcePolicy], now: datetime) -> list[Line]:
    """What would go now, by force and kind: the very statements by which it goes."""
    lines = []
    for force_id, chosen in sorted(policies.items()):
        async with database.transaction([force_id]) as tx:
            for kind in kinds_of(service):
                lines.append(Line(force_id, kind.name, kind.days(chosen), await kind.look(tx, chosen, now)))
    return lines


async def run_now(
    database: Database, policies: Mapping[str, ForcePolicy], now: datetime, *, confirmed: bool, patience: float
) -> bool:
    """Have the running service do a night's work now; whether it was done within so many seconds."""
    timer = CONFIRMED if confirmed else DAILY
    async with database.transaction(policies) as tx:
        await ask_for(tx, timer, list(policies), now)
    deadline = asyncio.get_running_loop().time() + patience
    while asyncio.get_running_loop().time() < deadline:
        async with database.transaction(policies) as tx:
            waiting = await tx.fetch(timers.QUERIES.next_timers, [timer])
        at = waiting[0]["next_at"]
        if at is None or at > datetime.now(UTC):
            return True
        await asyncio.sleep(0.2)
    return False
