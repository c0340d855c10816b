"""Whatever stands on a topic, each service goes on: it takes effect, waits, is skipped, or is parked with a reason."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.bus.inbox import Inbox, Record
from shared.contracts.catalogue import SERVICES
from shared.contracts.envelope import Event
from shared.contracts.generate import subscribed
from tests.misuse import records
from tests.misuse.records import Bad
from tests.servers.any_service import inbox_of
from tests.servers.databases import ServiceDatabaseMaker

MARK = "zqEVENTn000000"
KINDS: tuple[Callable[[Random, str], Bad], ...] = (
    records.no_json, records.breach, records.wrong_key, records.bad_header, records.foreign_topic,
    records.later_major, records.hostile_but_allowed,
)  # fmt: skip


def inputs(event: Callable[[Random, str], Bad]) -> st.SearchStrategy[Bad]:
    """Bad records of a kind. Numbers are drawn, so that a failing batch shrinks to the records that fail it."""
    return st.integers(0, 2**40).map(lambda number: event(Random(f"{event.__name__} {number}"), MARK))


batches = st.lists(st.one_of(*(inputs(kind) for kind in KINDS)), min_size=1, max_size=60)
quickly = settings(
    max_examples=12,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Door:
    """The way in of one service, and a look at what stands behind it."""

    service: str
    inbox: Inbox
    admin: asyncpg.Connection[Any]
    offset: count[int]

    def record(self, bad: Bad) -> Record:
        return Record(bad.topic, 0, next(self.offset), bad.key, bad.value, bad.headers)

    async def take(self, batch: Sequence[Bad]) -> None:
        await self.inbox.take([self.record(one) for one in batch])

    async def held(self) -> list[asyncpg.Record]:
        return list(await self.admin.fetch("SELECT * FROM held ORDER BY position"))

    async def known(self, ids: Sequence[UUID]) -> set[UUID]:
        return {row["id"] for row in await self.admin.fetch("SELECT id FROM inbox WHERE id = ANY ($1::uuid[])", ids)}

    async def forget(self) -> None:
        await self.admin.execute("TRUNCATE held, inbox, outbox_log, outbox_pending")


def id_of(bad: Bad) -> UUID:
    return UUID(dict(bad.headers)["ce_id"].decode())


@pytest.fixture(params=SERVICES)
async def door(request: pytest.FixtureRequest, database: ServiceDatabaseMaker, tmp_path: Path) -> Any:
    service = request.param
    made = await database(service)
    admin = await asyncpg.connect(made.admin_url)
    async with inbox_of(service, made, tmp_path) as inbox:
        yield Door(service, inbox, admin, count())
    await admin.close()


@quickly
@given(bad=batches, order=st.randoms(use_true_random=False))
async def test_no_batch_stops_at_what_is_bad_in_it(door: Door, bad: list[Bad], order: Random) -> None:
    """Batches of bad records of every kind, sound ones of every event this service takes among them: nothing is
    raised, exactly what cannot be read is parked, reasons name places and never what stood there, and every sound
    record of another key is seen to."""
    await door.forget()
    sound = [records.sound(event, Random(event.name), records.plain_words) for event in subscribed(door.service)]
    bad = [one for one in bad if door.service in records.listeners(one.topic)]
    batch = [*bad, *sound]
    order.shuffle(batch)
    await door.take(batch)
    held = await door.held()
    parked = [row for row in held if row["why"] == "unreadable"]
    wanted = Counter((one.topic, one.key, one.value) for one in bad if door.service in one.parked_by)
    found = Counter((row["topic"], row["key"], row["value"]) for row in parked)
    assert found == wanted, (wanted - found, [row["reason"] for row in parked])
    for row in held:
        assert row["reason"] and MARK not in row["reason"] and "zq" not in row["reason"], row["reason"]
    assert await door.known([id_of(one) for one in sound]) == {id_of(one) for one in sound}
    # What its schema allows a handler may refuse by a name of ours; a fault of Python's or the driver's is a hole.
    failed = {row["reason"] for row in held if row["why"] == "failed"}
    assert not {one for one in failed if hasattr(builtins, one) or hasattr(asyncpg, one)}, failed
    told = await door.admin.fetchval("SELECT count(*) FROM outbox_log WHERE topic = $1", f"{door.service}.parked.v1")
    assert told == len([row for row in held if row["why"] in ("unreadable", "failed")])


def name_of(event: type[Event]) -> str:
    return event.name


TAKEN: list[type[Event]] = sorted(records.takers(), key=name_of)


@pytest.mark.parametrize("event", TAKEN, ids=name_of)
def test_what_a_schema_allows_can_be_made_from_it(event: type[Event]) -> None:
    """What is built from an event's schema is that event: a strategy of refused ones would test nothing."""
    made = [records.sound(event, Random(n), records.plain_words) for n in range(50)]
    assert all(records.readable(event, one.value or b"") for one in made)
