"""What leaves for the outside world is sent at least once, never given up in silence, and no channel blocks another."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import sendings
from shared.database import Database, Query
from shared.sendings import Channel, Sender, Sending, Undeliverable
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FORCE = "avon-and-somerset"
STATE = Query("state", "Every sending.", "SELECT * FROM sending ORDER BY due_at, id")


@pytest.fixture
async def service(database: ServiceDatabaseMaker) -> ServiceDatabase:
    """Any service's database: this is shared by all four."""
    return await database("feedback")


@pytest.fixture
def feedback(service: ServiceDatabase) -> Database:
    return service.bus


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Outside:
    """The world outside, written by hand: keeps what arrived, and refuses what it is told to."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.arrived: list[UUID] = []
        self.fault = fault

    async def __call__(self, force_id: str, id_: UUID) -> None:
        if self.fault is not None:
            raise self.fault
        self.arrived.append(id_)


async def given(database: Database, *, channel: str = "email", minutes: float = 0, id_: UUID | None = None) -> UUID:
    sending = Sending(FORCE, id_ or uuid4(), channel, NOON + timedelta(minutes=minutes))
    async with database.transaction([FORCE]) as tx:
        await sendings.schedule(tx, [sending])
    return sending.id


def a_sender(database: Database, clock: Clock, channels: Mapping[str, Channel], **more: float) -> Sender:
    return Sender(database, channels, clock, [FORCE], patience=more.get("patience", 5.0))


async def test_what_is_due_is_sent_once_and_what_is_not_waits(feedback: Database) -> None:
    """A sending goes when it is due, and never again."""
    outside = Outside()
    now, _later = await given(feedback), await given(feedback, minutes=5)
    sender = a_sender(feedback, Clock(), {"email": outside})
    assert await sender.send_due() == 1
    assert await sender.send_due() == 0
    assert outside.arrived == [now]
    assert [row["state"] for row in await rows(feedback)] == ["sent", "due"]


async def test_scheduling_again_sends_nothing_twice(feedback: Database) -> None:
    """The same id scheduled after it was sent stays sent."""
    outside = Outside()
    id_ = await given(feedback)
    sender = a_sender(feedback, Clock(), {"email": outside})
    await sender.send_due()
    await given(feedback, id_=id_)
    assert await sender.send_due() == 0
    assert outside.arrived == [id_]


async def test_a_cancelled_sending_does_not_leave(feedback: Database) -> None:
    """What was cancelled before it was due is not sent."""
    outside = Outside()
    id_ = await given(feedback)
    async with feedback.transaction([FORCE]) as tx:
        assert await sendings.cancel(tx, FORCE, [id_]) == 1
    assert await a_sender(feedback, Clock(), {"email": outside}).send_due() == 0
    assert outside.arrived == []


async def test_a_fault_is_tried_again_with_growing_distance(feedback: Database) -> None:
    """While the other side is away the sending stays due, later each time; when it is back it is sent."""
    outside, clock = Outside(ConnectionRefusedError("mailbox at somebody@example.org")), Clock()
    await given(feedback)
    sender = a_sender(feedback, clock, {"email": outside})
    waits = []
    for _ in range(6):
        assert await sender.send_due() == 0
        (row,) = await rows(feedback)
        assert row["state"] == "due"
        waits.append((row["due_at"] - clock.now).total_seconds())
        clock.now = row["due_at"]
    assert waits[-1] > waits[0] * 4
    assert row["fault"] == "ConnectionRefusedError", "a fault's words may hold an address"
    outside.fault = None
    assert await sender.send_due() == 1


async def test_what_is_undeliverable_is_given_up_with_its_reason(feedback: Database) -> None:
    """A channel that says never is believed, and the reason is kept for a person."""
    await given(feedback)
    sender = a_sender(feedback, Clock(), {"email": Outside(Undeliverable("no address is known"))})
    assert await sender.send_due() == 0
    (row,) = await rows(feedback)
    assert (row["state"], row["fault"]) == ("failed", "no address is known")


async def test_what_fails_for_a_day_is_failed_not_forgotten(feedback: Database) -> None:
    """After the last try a sending is failed, where a person finds it."""
    clock = Clock()
    await given(feedback)
    sender = a_sender(feedback, clock, {"email": Outside(ConnectionRefusedError())})
    for _ in range(sendings.MOST_TRIES):
        await sender.send_due()
        clock.now += timedelta(hours=2)
    (row,) = await rows(feedback)
    assert row["state"] == "failed"


async def test_a_sender_that_died_is_replaced_when_its_lease_runs_out(feedback: Database) -> None:
    """A claim whose process fell silent is claimed again after the lease, not before."""
    clock, outside = Clock(), Outside()
    reached = asyncio.Event()

    async def never_returns(force_id: str, id_: UUID) -> None:
        reached.set()
        await asyncio.Event().wait()

    id_ = await given(feedback)
    dying = asyncio.create_task(a_sender(feedback, clock, {"email": never_returns}, patience=600).send_due())
    await asyncio.wait_for(reached.wait(), 10)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)

    sender = a_sender(feedback, clock, {"email": outside})
    assert await sender.send_due() == 0
    clock.now += sendings.LEASE
    assert await sender.send_due() == 1
    assert outside.arrived == [id_]


async def test_a_channel_that_never_answers_is_cut_off(feedback: Database) -> None:
    """A call that takes too long counts as a fault and is tried again."""

    async def never_returns(force_id: str, id_: UUID) -> None:
        await asyncio.Event().wait()

    await given(feedback)
    assert await a_sender(feedback, Clock(), {"email": never_returns}, patience=0.05).send_due() == 0
    (row,) = await rows(feedback)
    assert (row["state"], row["fault"]) == ("due", "TimeoutError")


async def test_a_slow_channel_holds_up_no_other(feedback: Database) -> None:
    """While one channel hangs, another sends all it has."""
    stopping, hanging, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    arrived: list[UUID] = []

    async def hangs(force_id: str, id_: UUID) -> None:
        await hanging.wait()

    async def quick(force_id: str, id_: UUID) -> None:
        arrived.append(id_)
        if len(arrived) == 20:
            done.set()

    for _ in range(10):
        await given(feedback, channel="webhook")
    for _ in range(20):
        await given(feedback, channel="email")
    sender = a_sender(feedback, Clock(), {"webhook": hangs, "email": quick})
    running = asyncio.create_task(sender.run(stopping))
    await asyncio.wait_for(done.wait(), 10)
    hanging.set()
    stopping.set()
    await asyncio.wait_for(running, 10)
    assert len(set(arrived)) == 20


async def test_several_senders_share_the_work(feedback: Database) -> None:
    """Each sending is taken by one sender only while its lease runs."""
    outside = Outside()
    for _ in range(60):
        await given(feedback)
    clock = Clock()
    counts = await asyncio.gather(*(a_sender(feedback, clock, {"email": outside}).send_due() for _ in range(4)))
    assert sum(counts) == len(outside.arrived) == len(set(outside.arrived)) == 60


async def rows(database: Database) -> list[dict[str, Any]]:
    async with database.transaction([FORCE]) as tx:
        return [dict(row) for row in await tx.fetch(STATE)]
