"""Assignment on a database of its own under the logins it has, with the demo force's areas and register."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
from prometheus_client import CollectorRegistry

from services.assignment.dependencies import Dependencies
from services.assignment.domain.people import Officer, Person
from services.assignment.handlers import people
from services.assignment.subscribers import subscriptions
from services.assignment.timers import timers
from shared.bus.inbox import Inbox
from shared.bus.metrics import BusMetrics
from shared.database import Transaction
from shared.policies import Policies
from shared.timers import TimerLoop
from tests.servers.assignment_service import (
    COLLEAGUE,
    COORDINATOR,
    ELSEWHERE,
    FORCE,
    OFFICER,
    UNTRAINED,
    assignment_settings,
)
from tests.servers.databases import ServiceDatabase

T = TypeVar("T")

BEGINNING: Final = datetime(2027, 3, 22, 9, tzinfo=UTC)
"""A Monday; on the Sunday after it the clocks go forward."""
WHO: Final = (OFFICER, COLLEAGUE, ELSEWHERE, UNTRAINED, COORDINATOR)
OFFICERS: Final = tuple(user.sub for user in WHO if user is not COORDINATOR)
LASTING: Final = ("schema_migrations", "area", "team")
"""Tables that are as full at the end of a run as at its beginning."""


class Place:
    """What the runs share: the service's parts, a clock that is set, and a login that sees everything."""

    def __init__(self, database: ServiceDatabase, data_dir: Path) -> None:
        self._runner = asyncio.Runner()
        self.now = BEGINNING
        settings = assignment_settings(database, data_dir)
        self.deps = Dependencies(settings, _in_groups(Policies.read(settings.forces_dir)))
        self.deps.clock = lambda: self.now
        self.register: dict[str, Officer] = {}
        self.requests: Mapping[UUID, Sequence[UUID]] = {}
        """Of each walk, as they were when walks were last looked at."""
        self.disclosures: Mapping[UUID, Sequence[UUID]] = {}
        """The same."""
        self.run(self._open(database.admin_url))

    async def _open(self, admin_url: str) -> None:
        self.admin: asyncpg.Connection[Any] = await asyncpg.connect(admin_url)
        await self.deps.database.open()
        await self.deps.bus_database.open()
        await self.deps.take_registers()
        rows = await self.admin.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
        )
        self._tables = sorted({row["relname"] for row in rows} - set(LASTING))
        forces = self.deps.policies.forces
        self.inbox = Inbox(
            self.deps.bus_database,
            subscriptions(self.deps),
            lambda: self.now,
            BusMetrics(CollectorRegistry()),
            forces,
        )
        self.timers = TimerLoop(
            self.deps.bus_database,
            timers(self.deps.policies, self.deps.attachments),
            lambda: self.now,
            (*forces, "unknown"),
        )

    def close(self) -> None:
        async def close() -> None:
            await self.deps.bus_database.close()
            await self.deps.database.close()
            await self.admin.close()

        self.run(close())
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def fresh(self) -> None:
        """As on the first day: nobody has asked for anything."""
        self.now = BEGINNING
        await self.admin.execute(f"TRUNCATE {', '.join(self._tables)} CASCADE")
        for force_id in self.deps.policies.forces:
            await self.enrol(force_id, {one.id: one for one in self.deps.registers.officers[force_id]})
        self.register = {one.id: one for one in self.deps.registers.officers[FORCE]}

    async def enrol(self, force_id: str, register: dict[str, Officer]) -> None:
        """Take this as what the force's file says of its officers."""
        policy = self.deps.policies[force_id]
        async with self.deps.bus_database.transaction([force_id]) as tx:
            await people.enrol_officers(tx, force_id, list(register.values()), policy, self.now)

    @property
    def walks(self) -> list[UUID]:
        """Those that answer somebody."""
        return sorted(self.requests)

    def somebodys(self, walk_id: UUID, number: int) -> UUID:
        """A request, of this walk more often than not."""
        mine = self.requests.get(walk_id, ())
        return mine[number % len(mine)] if mine and number % 5 else UUID(int=number, version=4)

    async def person(self, tx: Transaction, who: int) -> Person:
        """Somebody who is signed in, with what the register says of them now."""
        user = WHO[who]
        return await people.person(tx, FORCE, user.sub, is_coordinator=user is COORDINATOR, team_id=user.team_id)


def _in_groups(policies: Policies) -> Policies:
    """The forces' policies, with groups of three where there were none."""
    ours = policies[FORCE]
    walks = ours.walks.model_copy(update={"group_size": 3})
    return Policies({**policies, FORCE: ours.model_copy(update={"walks": walks})})
