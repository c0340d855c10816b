"""The way in: a batch of records takes effect once, set by set, in one commit; what cannot is held, in order.

    read     headers and JSON of each record; unknown types are skipped, unreadable ones parked at once
    receive  one insert says which were not seen before
    hold     later records of a key that something is held for go behind it
    waves    groups of one type, each key at most once, no event before an earlier one of its key
    handle   one call a group; a parent not yet known puts the event aside until it is

A transient fault rolls the batch back and tries it again with backoff. A fault on data makes the batch run again in
isolation: what fails alone, twice, is parked, and the rest stands.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from pydantic import ValidationError

from shared.bus import outbox
from shared.bus.metrics import BusMetrics
from shared.bus.outbox import QUERIES, RawFact
from shared.bus.subscriptions import Outcome, Subscription, Subscriptions
from shared.bus.waves import waves
from shared.contracts.catalogue import parked_topic
from shared.contracts.envelope import Envelope, Event, MalformedEnvelope, Received
from shared.contracts.refusals import TryAgain
from shared.database import TRANSIENT, Database, Row, Transaction
from shared.observability import correlation_id, log, traceparent

UNKNOWN_FORCE: Final = "unknown"
"""Stands for the force of a record whose headers do not say it."""

PARKED_KEY: Final = "parked_key"
"""The header that says of whom a record on the parked topic is, so that it can be scrubbed."""

_PATIENCE: Final = 30.0
"""Seconds a batch is tried in place during a transient fault, well below max_poll_interval; then it is fetched anew."""
_PASSING: Final[tuple[type[Exception], ...]] = (*TRANSIENT, TryAgain)
_PARKED_NAMESPACE: Final = UUID("6f1c6f0e-7d0b-5a53-9c5e-5b1f6a4f2d11")


class Record(NamedTuple):
    """A record as it came: original bytes and headers, and its place."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def digest(self) -> bytes:
        """The same for a redelivery or a repetition, different for another record at the same place of a new log.

        An event is known by its id wherever it stands: the relay repeats flights, and whole logs on another bus.
        """
        place = "" if any(name == "ce_id" for name, _ in self.headers) else f"{self.partition}\n{self.offset}\n"
        found = hashlib.sha256(f"{self.topic}\n{place}".encode())
        for part in (self.key or b"", self.value or b"", *(v or b"" for _, v in self.headers)):
            found.update(len(part).to_bytes(4, "big"))
            found.update(part)
        return found.digest()


class Readable(NamedTuple):
    """A record this service understands."""

    record: Record
    subscription: Subscription
    received: Received[Any]
    held_at: datetime | None = None
    tries: int = 0
    position: int | None = None
    """Where it stood among what is held."""

    @property
    def place(self) -> tuple[str, bytes | None]:
        return (self.record.topic, self.record.key)


@dataclass(frozen=True, slots=True)
class Held:
    """A record to be put aside, and why."""

    record: Record
    why: str
    reason: str
    force_id: str
    id: UUID | None
    awaits: UUID | None = None
    held_at: datetime | None = None
    tries: int = 0
    position: int | None = None
    """Where it stood, if it was held before: it goes back there, before whatever came meanwhile."""

    @property
    def place(self) -> tuple[str, bytes | None]:
        return (self.record.topic, self.record.key)


class Read(NamedTuple):
    """Records as far as they could be read; those of unknown types are in neither."""

    readable: list[Readable]
    unreadable: list[Held]


class Inbox:
    """Applies batches of records to one service's database."""

    def __init__(
        self,
        database: Database,
        subscriptions: Subscriptions,
        clock: Callable[[], datetime],
        metrics: BusMetrics,
        forces: Sequence[str],
    ) -> None:
        self._database = database
        self._subscriptions = subscriptions
        self._clock = clock
        self._metrics = metrics
        self._forces = (*forces, UNKNOWN_FORCE)
        self._log = log(__name__)

    async def take(self, records: Sequence[Record], read: Read | None = None) -> None:
        """Let a batch take effect, exactly once, or raise the transient fault that lasted too long.

        `read` is what `read` made of these records, where that was done before.
        """
        readable, unreadable = read or self.read(records)
        if not readable and not unreadable:
            return
        await self._patiently(lambda isolate: self._receive(readable, unreadable, isolate))

    async def sweep(self) -> int:
        """Try again what is due: awaiting records, and parked ones a person asked for. How many were taken."""
        taken: int = await self._patiently(self._retry_due)
        return taken

    async def state(self) -> dict[str, int]:
        """How many records are held, by why."""
        async with self._database.transaction(self._forces) as tx:
            found = {row["why"]: row["held"] for row in await tx.fetch(QUERIES.held_state)}
        self._metrics.held(found)
        return found

    def read(self, records: Iterable[Record]) -> Read:
        """Read headers and data of records; touches no database."""
        readable: list[Readable] = []
        unreadable: list[Held] = []
        for record in records:
            found = self._read_one(record)
            if isinstance(found, Readable):
                readable.append(found)
            elif found is not None:
                unreadable.append(found)
        return Read(readable, unreadable)

    def _read_one(self, record: Record) -> Readable | Held | None:
        headers = dict(record.headers)
        try:
            envelope = Envelope.read(headers)
        except MalformedEnvelope as fault:
            return Held(record, "unreadable", str(fault), UNKNOWN_FORCE, None)
        subscription = self._subscriptions.get(envelope.type)
        if subscription is None:
            self._metrics.skipped(envelope.type)
            return None
        if record.topic != subscription.event.topic:
            # Who may write a topic is settled by the broker; an event elsewhere is from somebody who may not send it.
            return Held(record, "unreadable", "ce_type: does not travel on this topic", UNKNOWN_FORCE, envelope.id)
        if envelope.force_id not in self._forces:
            return Held(record, "unreadable", "ce_forceid: is not served here", UNKNOWN_FORCE, None)
        try:
            event = subscription.event.model_validate_json(record.value or b"")
        except ValidationError as fault:
            return Held(record, "unreadable", _breach(fault, subscription.event), envelope.force_id, envelope.id)
        if rb"\u0000" in (record.value or b"") and (field := _holding_nul(event.model_dump())):
            return Held(record, "unreadable", f"{field}: holds U+0000", envelope.force_id, envelope.id)
        if record.key != str(event.key).encode():
            return Held(record, "unreadable", "key: is not the aggregate's id", envelope.force_id, envelope.id)
        return Readable(record, subscription, Received.of(event, envelope))

    async def _patiently(self, work: Callable[[bool], Any]) -> Any:
        started = asyncio.get_running_loop().time()
        isolate = False
        for attempt in count():
            try:
                return await work(isolate)
            except _PASSING as fault:
                self._metrics.retried()
                waited = asyncio.get_running_loop().time() - started
                if waited > _PATIENCE:
                    raise
                self._log.warning("transient fault", fault=type(fault).__name__, attempt=attempt)
                await asyncio.sleep(min(2.0, 0.05 * 2**attempt) * random.uniform(0.5, 1.0))
            except Exception:
                if isolate:
                    raise
                self._log.warning("a record failed, isolating it from its batch", exc_info=True)
                isolate = True

    async def _receive(self, readable: Sequence[Readable], unreadable: Sequence[Held], isolate: bool) -> None:
        now = self._clock()
        # What is held of a force nobody could read holds back later records of its key as well.
        forces = {UNKNOWN_FORCE} | {one.received.force_id for one in readable} | {held.force_id for held in unreadable}
        async with self._database.transaction(forces) as tx:
            rows = await tx.fetch(
                QUERIES.receive,
                [one.received.force_id for one in readable],
                [one.received.id for one in readable],
                now,
            )
            todo = list(readable) if len(rows) == len(readable) else self._without_duplicates(readable, rows)
            batch = _Batch(self, tx, now, isolate)
            aside: list[Held] = []
            if unreadable:
                todo, aside = _apart(todo, unreadable)
            rows = await tx.fetch(QUERIES.held_or_erased, *_keys(todo))
            if rows[0]["id"] is not None:
                todo = batch.without(rows, todo)
            if aside or rows[0]["held"]:
                todo = await batch.without_followers(todo)
            await batch.run(todo)
            await batch.hold(aside)

    def _without_duplicates(self, readable: Sequence[Readable], rows: Iterable[Row]) -> list[Readable]:
        fresh = {row["id"] for row in rows}
        todo: list[Readable] = []
        for one in readable:
            if one.received.id in fresh:
                fresh.discard(one.received.id)
                todo.append(one)
            else:
                self._metrics.duplicate(one.received.event.name)
        return todo

    async def _retry_due(self, isolate: bool) -> int:
        now = self._clock()
        async with self._database.transaction(self._forces) as tx:
            await tx.fetch_value(QUERIES.release_alone)
            rows = sorted(await tx.fetch(QUERIES.take_due, now), key=_position)
            if not rows:
                return 0
            batch = _Batch(self, tx, now, isolate)
            await batch.retry(rows)
            return len(rows)


class _Batch:
    """One transaction's work: the keys held so far in it, and what is applied to it."""

    def __init__(self, inbox: Inbox, tx: Transaction, now: datetime, isolate: bool) -> None:
        self._inbox = inbox
        self._metrics = inbox._metrics
        self._tx = tx
        self._now = now
        self._isolate = isolate
        self._held: dict[tuple[str, bytes | None], Held] = {}
        self._someone_erased = False

    async def without_erased(self, todo: Sequence[Readable]) -> list[Readable]:
        """Leave out what is about somebody erased: all of it, or the words alone."""
        rows = await self._tx.fetch(QUERIES.buried, *_keys(todo))
        return self.without(rows, todo) if rows else list(todo)

    def without(self, rows: Sequence[Row], todo: Sequence[Readable]) -> list[Readable]:
        """The same, where it is known who was erased."""
        erased = {(row["force_id"], row["id"]): row["what"] for row in rows}
        left: list[Readable] = []
        for one in todo:
            event = one.received.event
            match erased.get((one.received.force_id, event.key)):
                case "all" if not event.overtakes:
                    self._metrics.erased(event.name)
                case "words" if event.without_words:
                    wordless = event.model_copy(update=dict(event.without_words))
                    left.append(one._replace(received=one.received._replace(event=wordless)))
                case _:
                    left.append(one)
        return left

    async def without_followers(self, todo: Sequence[Readable]) -> list[Readable]:
        """Put behind what is held already the records whose key it shares; the others, to be handled."""
        places = {one.place for one in todo}
        rows = await self._tx.fetch(QUERIES.held_keys, [t for t, _ in places], [k for _, k in places])
        if not rows:
            return list(todo)
        by_place = {(row["topic"], row["key"]): row for row in rows}
        free: list[Readable] = []
        behind: list[Held] = []
        for one in todo:
            row = by_place.get(one.place)
            if row is None or one.received.event.overtakes:
                free.append(one)
            else:
                behind.append(_follow(one, None if row["parked"] else row["awaits"]))
        await self.hold(behind)
        return free

    async def retry(self, rows: Sequence[Row]) -> None:
        """Try records taken out of holding, in their order."""
        todo: list[Readable] = []
        still: list[Held] = []
        told: list[Held] = []
        lost: list[Row] = []
        unreadable_places: set[tuple[str, bytes | None]] = set()
        for row in rows:
            record = _record(row)
            found = self._inbox._read_one(record)
            place = (record.topic, record.key)
            if isinstance(found, Readable) and place not in unreadable_places:
                if row["id"] is None or row["why"] == "unreadable":
                    seen = await self._tx.fetch(
                        QUERIES.receive, [found.received.force_id], [found.received.id], self._now
                    )
                    if not seen:
                        continue
                todo.append(found._replace(held_at=row["held_at"], tries=row["tries"] + 1, position=row["position"]))
            elif isinstance(found, Held):
                unreadable_places.add(place)
                found = replace(found, held_at=row["held_at"], tries=row["tries"] + 1, position=row["position"])
                if row["why"] == "unreadable":
                    told.append(found)
                else:
                    # A version that could read it has received it: that is undone, for whoever can read it again.
                    lost.append(row)
                    still.append(found)
            elif isinstance(found, Readable):
                still.append(
                    replace(_follow(found, None), held_at=row["held_at"], tries=row["tries"], position=row["position"])
                )
        if lost:
            await self._tx.run(QUERIES.not_received, [one["force_id"] for one in lost], [one["id"] for one in lost])
        await self.hold(still)
        await self.hold(told, told=True)
        await self.run(await self.without_erased(todo) if todo else todo)

    async def run(self, todo: Sequence[Readable]) -> None:
        """Handle records in waves; release what waited for the aggregates they brought."""
        arrived: list[UUID] = []
        for group in waves((one.received.event.name, one.place, one) for one in todo):
            free = await self.without_erased(group) if self._someone_erased else group
            if self._held:
                behind = [one for one in free if one.place in self._held and not one.received.event.overtakes]
                free = [one for one in free if one.place not in self._held or one.received.event.overtakes]
                await self.hold([_follow(one, self._held[one.place].awaits) for one in behind])
            if free:
                arrived += await self._handle(free)
        # Not before: what another member has put aside meanwhile may follow a record of a later wave.
        await self._release(arrived)

    async def _handle(self, group: Sequence[Readable]) -> list[UUID]:
        """Hand a group to its handler; the aggregates known from now on."""
        if not self._isolate:
            return await self._call(group)
        try:
            async with self._tx.savepoint():
                return await self._call(group)
        except _PASSING:
            raise
        except Exception:
            arrived: list[UUID] = []
            for one in group:
                arrived += await self._handle_alone(one)
            return arrived

    async def _handle_alone(self, one: Readable) -> list[UUID]:
        for last in (False, True):
            try:
                async with self._tx.savepoint():
                    return await self._call([one])
            except _PASSING:
                raise
            except Exception as fault:
                if last:
                    self._inbox._log.error("record parked", event_name=one.received.event.name, exc_info=True)
                    await self.hold([_hold(one, "failed", type(fault).__name__)])
        return []

    async def _call(self, group: Sequence[Readable]) -> list[UUID]:
        received = [one.received for one in group]
        first = received[0]
        correlation_id.set(first.correlation_id if len(group) == 1 else None)
        traceparent.set(first.traceparent if len(group) == 1 else None)
        subscription = group[0].subscription
        outcome = await subscription.handler(self._tx, received, self._now) or Outcome()
        applied = group
        if awaiting := outcome.awaiting:
            await self.hold([_await(one, awaiting[one.received.id]) for one in group if one.received.id in awaiting])
            applied = [one for one in group if one.received.id not in awaiting]
        self._metrics.applied(subscription.event.name, len(applied))
        self._someone_erased |= subscription.event.overtakes
        return [one.received.event.key for one in applied] + list(outcome.arrived)

    async def _release(self, arrived: Sequence[UUID]) -> None:
        if not arrived or not await self._tx.fetch_value(QUERIES.anything_awaits, arrived):
            return
        await self._tx.fetch_value(QUERIES.release_alone)
        rows = sorted(await self._tx.fetch(QUERIES.release, list(arrived)), key=_position)
        if rows:
            for row in rows:
                self._held.pop((row["topic"], row["key"]), None)
            await self.retry(rows)

    async def hold(self, held: Sequence[Held], told: bool = False) -> None:
        """Put records aside, and tell of the parked ones on the parked topic unless that was told before."""
        if not held:
            return
        new: set[bytes] = set()
        for again in (False, True):
            new |= await self._put([one for one in held if (one.position is not None) is again], again)
        for one in held:
            if one.record.key is not None:
                self._held.setdefault(one.place, one)
            self._metrics.put_aside(one.why)
        if not told:
            parked = [one for one in held if one.why in ("unreadable", "failed") and one.record.digest in new]
            await outbox.append_raw(self._tx, [self._parked_fact(one) for one in parked])

    async def _put(self, held: Sequence[Held], again: bool) -> set[bytes]:
        if not held:
            return set()
        positions = [[one.position for one in held]] if again else []
        rows = await self._tx.fetch(
            QUERIES.hold_again if again else QUERIES.hold,
            [one.force_id for one in held],
            [one.why for one in held],
            [one.record.digest for one in held],
            [one.id for one in held],
            [one.record.topic for one in held],
            [one.record.key for one in held],
            [one.record.partition for one in held],
            [one.record.offset for one in held],
            [_portable(one.record.headers) for one in held],
            [one.record.value for one in held],
            [one.reason for one in held],
            [one.awaits for one in held],
            [one.held_at or self._now for one in held],
            [one.tries for one in held],
            [self._try_at(one) for one in held],
            *positions,
        )
        new = {bytes(row["digest"]) for row in rows}
        if not again:
            # Held already by a version that could not read it: that row is what is owed, and is received when it is
            # retried. Were it received now, the retry would take it for a duplicate.
            owed = [one for one in held if one.why != "unreadable" and one.record.digest not in new]
            if owed:
                await self._tx.run(QUERIES.not_received, [one.force_id for one in owed], [one.id for one in owed])
        return new

    def _try_at(self, one: Held) -> datetime | None:
        if one.why != "awaiting":
            return None
        return self._now + timedelta(seconds=min(60, 2 ** min(one.tries + 1, 6)))

    def _parked_fact(self, one: Held) -> RawFact:
        service = self._inbox._subscriptions.service
        record = one.record
        headers = [
            (name, value)
            for name, value in record.headers
            if name.lower() not in ("content-type", "parked_reason", PARKED_KEY)
        ]
        headers += [
            # Nobody downstream is to parse what could not be parsed here.
            ("content-type", b"application/octet-stream"),
            ("parked_by", service.encode()),
            ("parked_reason", one.reason.encode()),
            ("parked_topic", record.topic.encode()),
            (PARKED_KEY, record.key or b""),
            ("parked_partition", str(record.partition).encode()),
            ("parked_offset", str(record.offset).encode()),
        ]
        return RawFact(
            force_id=one.force_id,
            topic=parked_topic(service),
            key=uuid5(_PARKED_NAMESPACE, record.digest.hex()),
            at=self._now,
            headers=_portable(headers),
            data=record.value or b"",
        )


def _keys(todo: Sequence[Readable]) -> tuple[list[str], list[UUID]]:
    """Whose events these are, as the arguments of a statement."""
    return [one.received.force_id for one in todo], [one.received.event.key for one in todo]


def _apart(readable: Sequence[Readable], unreadable: Sequence[Held]) -> tuple[list[Readable], list[Held]]:
    """What comes before the unreadable records of its key; and those with what follows them, in the order they came.

    Records of one key stand in one partition, so their offsets are the order they came in.
    """
    first: dict[tuple[str, bytes | None], int] = {}
    for held in unreadable:
        first.setdefault(held.place, held.record.offset)
    before: list[Readable] = []
    aside = list(unreadable)
    for one in readable:
        if one.received.event.overtakes or one.record.offset < first.get(one.place, one.record.offset + 1):
            before.append(one)
        else:
            aside.append(_follow(one, None))
    return before, sorted(aside, key=lambda one: one.record.offset)


def _hold(one: Readable, why: str, reason: str) -> Held:
    return Held(
        one.record, why, reason, one.received.force_id, one.received.id, None, one.held_at, one.tries, one.position
    )


def _await(one: Readable, parent: UUID) -> Held:
    return replace(_hold(one, "awaiting", "its parent is not known here yet"), awaits=parent)


def _follow(one: Readable, awaits: UUID | None) -> Held:
    if awaits is not None:
        return _await(one, awaits)
    return _hold(one, "behind", "an earlier record of its key is held")


def _record(row: Row) -> Record:
    return Record(
        row["topic"],
        row["partition"],
        row["offset"],
        row["key"],
        row["value"],
        tuple((name, base64.b64decode(value)) for name, value in row["headers"]),
    )


def _portable(headers: Iterable[tuple[str, bytes]]) -> str:
    """Headers as JSON: pairs of name and base64, in their order, repetitions kept.

    PostgreSQL keeps no U+0000 in a text, so in a name it is shown as what Unicode has to picture it, U+2400.
    """
    return json.dumps(
        [[name.replace("\0", "\u2400"), base64.b64encode(value or b"").decode()] for name, value in headers]
    )


def _holding_nul(data: Any, at: str = "data") -> str | None:
    """Where in the data a text holds U+0000, which PostgreSQL cannot keep; None where nothing does."""
    match data:
        case str():
            return at if "\0" in data else None
        case dict():
            inside: Iterable[tuple[str, Any]] = ((str(name) if at == "data" else at, one) for name, one in data.items())
        case list() | tuple():
            inside = ((at, one) for one in data)
        case _:
            return None
    return next((found for name, one in inside if (found := _holding_nul(one, name))), None)


def _position(row: Row) -> int:
    position: int = row["position"]
    return position


def _breach(fault: ValidationError, event: type[Event]) -> str:
    """Which fields break the schema and how, never what they held; a key of theirs is shown as "?"."""
    known = _fields(event)
    found = (
        f"{'.'.join(_known(part, known) for part in error['loc']) or 'data'}: {error['type']}"
        for error in fault.errors(include_url=False, include_context=False, include_input=False)
    )
    return "; ".join(found)[:500]


def _known(part: int | str, known: frozenset[str]) -> str:
    return str(part) if isinstance(part, int) or part in known else "?"


@cache
def _fields(event: type[Event]) -> frozenset[str]:
    """The names of all fields of an event, its parts' included."""
    schema = event.model_json_schema()
    parts = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for part in parts for name in part.get("properties", ()))
