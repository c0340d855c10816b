"""The model's few events, and handlers that leave a row and an event behind for each that takes effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.bus.subscriptions import Outcome, Subscriptions
from shared.contracts.catalogue import parked_topic
from shared.contracts.envelope import Event, Received
from shared.database import Query, Transaction

SERVICE: Final = "partners"
FORCE: Final = "avon-and-somerset"
PARKED: Final = parked_topic(SERVICE)


class Counted(Event):
    """Takes effect by itself. `poison` fails in the handler until the fault is mended."""

    name: ClassVar[str] = "counted"
    topic: ClassVar[str] = "model-one.v1"
    on: UUID
    number: int
    poison: bool = False

    @property
    def key(self) -> UUID:
        return self.on


class Tallied(Counted):
    """Another type of the same topic and keys."""

    name: ClassVar[str] = "tallied"


class Later(Event):
    """What a newer writer sends under the name of Counted: this reader's schema does not know it."""

    name: ClassVar[str] = "counted"
    topic: ClassVar[str] = "model-one.v1"
    on: UUID
    serial: int

    @property
    def key(self) -> UUID:
        return self.on


class CountedByNewReader(Event):
    """What the next version of the service reads: both."""

    name: ClassVar[str] = "counted"
    topic: ClassVar[str] = "model-one.v1"
    on: UUID
    number: int = 0
    serial: int = 0
    poison: bool = False

    @property
    def key(self) -> UUID:
        return self.on


class Child(Counted):
    """Takes effect once its parent, of the same key on another topic, is known."""

    name: ClassVar[str] = "child"
    topic: ClassVar[str] = "model-two.v1"


class Parent(Counted):
    name: ClassVar[str] = "parent"
    topic: ClassVar[str] = "model-parent.v1"


class Echoed(Event):
    """Tells that an event took effect."""

    name: ClassVar[str] = "echoed"
    topic: ClassVar[str] = "model-echo.v1"
    on: UUID

    @property
    def key(self) -> UUID:
        return self.on


READ: Final = (Counted.topic, Child.topic, Parent.topic)
TOPICS: Final = (*READ, Echoed.topic, PARKED)

TABLES: Final = """
CREATE TABLE fact (force_id text NOT NULL, topic text NOT NULL, key uuid NOT NULL, number integer NOT NULL,
                   PRIMARY KEY (force_id, topic, key, number));
CREATE TABLE effect (at bigint GENERATED ALWAYS AS IDENTITY, force_id text NOT NULL, topic text NOT NULL,
                     key uuid NOT NULL, sequence bigint NOT NULL, event_id uuid NOT NULL, PRIMARY KEY (force_id, at));
CREATE TABLE parent (force_id text NOT NULL, key uuid NOT NULL, PRIMARY KEY (force_id, key));
CALL force_rows('fact');
CALL force_rows('effect');
CALL force_rows('parent');
"""
"""What was decided (beside the outbox), what took effect (beside the inbox), and which parents are known."""

STATE = Query(
    "state", "What was decided.", "INSERT INTO fact SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::int[])"
)
EFFECT = Query(
    "effect",
    "What took effect, in the order it did.",
    "INSERT INTO effect (force_id, topic, key, sequence, event_id)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[])",
)
PARENTS = Query("parents", "Parents known.", "SELECT key FROM parent WHERE key = ANY ($1::uuid[])")
NEW_PARENT = Query(
    "new_parent",
    "A parent.",
    "INSERT INTO parent SELECT * FROM unnest($1::text[], $2::uuid[]) ON CONFLICT DO NOTHING",
)


def number_of(event: Event) -> int:
    """What tells an event from the others of its key."""
    found: int = event.serial if isinstance(event, Later) else event.number  # type: ignore[attr-defined]  # the others have it
    return found


async def decide(tx: Transaction, events: Sequence[Event], now: datetime) -> None:
    """What a web command does: its state and its events."""
    await tx.run(
        STATE,
        [FORCE for _ in events],
        [event.topic for event in events],
        [event.key for event in events],
        [number_of(event) for event in events],
    )
    await outbox.append(tx, [Fact(event, FORCE, now) for event in events])


class Handlers:
    """The handlers of one process."""

    def __init__(self, *, mended: bool, new_reader: bool) -> None:
        self._mended = mended
        self._new_reader = new_reader

    def subscriptions(self) -> Subscriptions:
        subscribe = Subscriptions(SERVICE)
        if self._new_reader:
            subscribe.to(CountedByNewReader, self.count)
        else:
            subscribe.to(Counted, self.count)
        subscribe.to(Tallied, self.count)
        subscribe.to(Child, self.child)
        subscribe.to(Parent, self.parent)
        return subscribe

    async def count(self, tx: Transaction, received: Sequence[Received[Any]], now: datetime) -> Outcome | None:
        await tx.run(
            EFFECT,
            [one.force_id for one in received],
            [one.event.topic for one in received],
            [one.event.on for one in received],
            [one.sequence for one in received],
            [one.id for one in received],
        )
        # After the row was written: what fails has to be undone as well.
        if not self._mended and any(one.event.poison for one in received):
            raise ValueError("refused by the test")
        await outbox.append(tx, [Fact(Echoed(on=one.event.on), one.force_id, now, cause=one) for one in received])
        return None

    async def child(self, tx: Transaction, received: Sequence[Received[Any]], now: datetime) -> Outcome | None:
        known = {row["key"] for row in await tx.fetch(PARENTS, [one.event.on for one in received])}
        ready = [one for one in received if one.event.on in known]
        if ready:
            await self.count(tx, ready, now)
        return Outcome(awaiting={one.id: one.event.on for one in received if one.event.on not in known})

    async def parent(self, tx: Transaction, received: Sequence[Received[Any]], now: datetime) -> Outcome | None:
        await tx.run(NEW_PARENT, [one.force_id for one in received], [one.event.on for one in received])
        return await self.count(tx, received, now)
