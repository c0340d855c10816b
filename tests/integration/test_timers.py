"""What falls due fires once, in one commit with what it causes, and a failing timer holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared import timers
from shared.database import Database, Query, Transaction
from shared.timers import Due, Fired, TimerLoop, Timers
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FORCES = ("avon-and-somerset", "metropolitan")
LEFT = Query("left", "Timers that are still set.", "SELECT force_id, subject, due_at, try_at, tries FROM timer")


@pytest.fixture
async def service(database: ServiceDatabaseMaker) -> ServiceDatabase:
    """Any service's database: this is shared by all four."""
    return await database("feedback")


@pytest.fixture
def feedback(service: ServiceDatabase) -> Database:
    return service.bus


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Recorder:
    """A handler that keeps what it was given and fails on request."""

    def __init__(self) -> None:
        self.groups: list[list[Fired]] = []
        self.refused: set[UUID] = set()

    async def __call__(self, tx: Transaction, fired: Sequence[Fired], now: datetime) -> None:
        if any(one.subject in self.refused for one in fired):
            raise ValueError("this subject cannot be handled")
        self.groups.append(list(fired))

    @property
    def subjects(self) -> set[UUID]:
        return {one.subject for group in self.groups for one in group}


async def given(database: Database, kind: str, *due: Due) -> None:
    async with database.transaction(FORCES) as tx:
        await timers.set(tx, kind, due)


def a_due(*, minutes: float = 0, subject: UUID | None = None, force: str = "avon-and-somerset") -> Due:
    return Due(force, subject or uuid4(), NOON + timedelta(minutes=minutes))


async def test_due_timers_of_a_kind_fire_together_across_forces(feedback: Database) -> None:
    """One call takes all that is due of a kind, whichever force it is of, and leaves what is not due."""
    handler, due = Recorder(), [a_due(), a_due(minutes=-5), a_due(force="metropolitan")]
    await given(feedback, "reminder", *due, a_due(minutes=1))
    loop = TimerLoop(feedback, _on(reminder=handler), Clock(), FORCES)

    assert await loop.fire_due() == 3
    assert len(handler.groups) == 1
    assert handler.subjects == {one.subject for one in due}
    assert len(await rows(feedback)) == 1


async def test_a_timer_set_anew_fires_at_the_new_time_only(feedback: Database) -> None:
    """Setting a timer again moves it; there is never a second one for the same subject."""
    handler, clock, subject = Recorder(), Clock(), uuid4()
    await given(feedback, "reminder", a_due(subject=subject))
    await given(feedback, "reminder", a_due(subject=subject, minutes=10))
    loop = TimerLoop(feedback, _on(reminder=handler), clock, FORCES)

    assert await loop.fire_due() == 0
    clock.now += timedelta(minutes=10)
    assert await loop.fire_due() == 1
    assert await loop.fire_due() == 0


async def test_a_cancelled_timer_never_fires(feedback: Database) -> None:
    """Cancelling says how many were cancelled, and nothing fires."""
    due, handler = a_due(), Recorder()
    await given(feedback, "reminder", due)
    async with feedback.transaction(FORCES) as tx:
        assert await timers.cancel(tx, "reminder", due.force_id, [due.subject]) == 1
    assert await TimerLoop(feedback, _on(reminder=handler), Clock(), FORCES).fire_due() == 0


async def test_a_timer_that_fails_is_postponed_and_the_others_fire(feedback: Database) -> None:
    """One bad subject is isolated from its group: the rest fires, it comes back later with its own due time."""
    bad, good, handler, clock = a_due(), a_due(), Recorder(), Clock()
    handler.refused = {bad.subject}
    await given(feedback, "reminder", bad, good)
    loop = TimerLoop(feedback, _on(reminder=handler), clock, FORCES)

    assert await loop.fire_due() == 1
    assert handler.subjects == {good.subject}
    (left,) = await rows(feedback)
    assert left["due_at"] == bad.due_at
    assert left["try_at"] > clock.now
    assert left["tries"] == 1

    handler.refused = set()
    clock.now += timedelta(minutes=1)
    assert await loop.fire_due() == 1
    assert handler.groups[-1] == [Fired(bad.force_id, bad.subject, bad.due_at)]


async def test_what_a_failing_timer_wrote_is_undone(feedback: Database) -> None:
    """A handler that writes and then fails leaves nothing behind but its own postponed timer."""
    due = a_due()

    async def write_then_fail(tx: Transaction, fired: Sequence[Fired], now: datetime) -> None:
        await timers.set(tx, "other", [a_due()])
        raise ValueError("too late")

    await given(feedback, "reminder", due)
    await TimerLoop(feedback, _on(reminder=write_then_fail), Clock(), FORCES).fire_due()
    assert [row["subject"] for row in await rows(feedback)] == [due.subject]


async def test_a_kind_whose_database_work_breaks_holds_up_no_other_kind(feedback: Database) -> None:
    """A fault of the moment rests its own kind alone."""
    handler = Recorder()

    async def breaks(tx: Transaction, fired: Sequence[Fired], now: datetime) -> None:
        raise TimeoutError

    await given(feedback, "broken", a_due(minutes=-60))
    await given(feedback, "reminder", a_due())
    loop = TimerLoop(feedback, _on(broken=breaks, reminder=handler), Clock(), FORCES)
    assert await loop.fire_due() == 1
    assert len(handler.subjects) == 1
    assert len(await rows(feedback)) == 1


async def test_a_handler_may_set_its_own_timer_anew(feedback: Database) -> None:
    """A repeating timer sets itself from its own handler, and that setting stands."""
    due = a_due()

    async def again(tx: Transaction, fired: Sequence[Fired], now: datetime) -> None:
        await timers.set(tx, "daily", [Due(f.force_id, f.subject, f.due_at + timedelta(days=1)) for f in fired])

    await given(feedback, "daily", due)
    assert await TimerLoop(feedback, _on(daily=again), Clock(), FORCES).fire_due() == 1
    assert [row["due_at"] for row in await rows(feedback)] == [due.due_at + timedelta(days=1)]


async def test_two_processes_never_fire_the_same_timer(feedback: Database) -> None:
    """Several loops at once share the work; each timer fires exactly once."""
    handler = Recorder()
    await given(feedback, "reminder", *(a_due() for _ in range(500)))
    loops = [TimerLoop(feedback, _on(reminder=handler), Clock(), FORCES) for _ in range(4)]
    while await rows(feedback):
        await asyncio.gather(*(loop.fire_due() for loop in loops))
    fired = [one.subject for group in handler.groups for one in group]
    assert len(fired) == len(set(fired)) == 500


async def test_a_running_loop_fires_what_is_set_later_and_stops_when_told(feedback: Database) -> None:
    """The loop wakes for a timer set after it went to sleep, and ends at once when stopping."""
    fired = asyncio.Event()
    stopping = asyncio.Event()

    async def tell(tx: Transaction, _: Sequence[Fired], now: datetime) -> None:
        fired.set()

    running = asyncio.create_task(TimerLoop(feedback, _on(reminder=tell), Clock(), FORCES).run(stopping))
    await given(feedback, "reminder", a_due())
    await asyncio.wait_for(fired.wait(), 10)
    stopping.set()
    await asyncio.wait_for(running, 5)


def _on(**handlers: timers.Handler) -> Timers:
    found = Timers()
    for kind, handler in handlers.items():
        found.on(kind, handler)
    return found


async def rows(database: Database) -> list[dict[str, Any]]:
    async with database.transaction(FORCES) as tx:
        return [dict(row) for row in await tx.fetch(LEFT)]
