"""The ceiling: aiokafka and asyncpg, nothing between them. Written for these events alone, by hand, in two ways.

`consume` takes a batch, lets it take effect, and takes the next. `consume_ahead` fetches and reads the next one
meanwhile, as ours does.

It owes what ours owes: headers read and checked, data validated against the contract, the key compared, row-level
security by force, the inbox, the check for held records, sequences of a key gapless, offsets committed after the
database and forgotten when the group forms anew. It does what ours does to be fast: one statement a table, statements
prepared once (asyncpg keeps them), offsets committed while the next batch is at work. It has no domain, no store, no
parking, no retry, no metrics, and ends at the first fault.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition

from services.feedback.store import QUERIES as FEEDBACK
from shared.bus.consumption import LARGEST_BATCH
from shared.bus.outbox import QUERIES as BUS
from shared.bus.waves import waves
from shared.contracts.envelope import Envelope, Event
from shared.contracts.referrals import ConcernResolved, ReferralAccepted, ReferralMade, ReferralUpdated, Resolution
from shared.contracts.walks import WalkCompleted
from tests.bench.ground import POLICIES, Clone, Ground, Stopwatch

_TYPES: Final[dict[str, type[Event]]] = {
    event.type(): event for event in (WalkCompleted, ReferralMade, ReferralAccepted, ReferralUpdated, ConcernResolved)
}
_SLICE: Final = 50
_LONDON: Final = ZoneInfo("Europe/London")

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Read = tuple[Envelope, Any]


class Effect(Protocol):
    async def __call__(self, connection: Connection, fresh: Sequence[Read], now: datetime) -> None: ...


async def consume(ground: Ground, clone: Clone, topic: str, stopwatch: Stopwatch) -> None:
    """Consume until the stopwatch has seen enough, one batch after the other."""
    await _consume(ground, clone, topic, stopwatch, ahead=False)


async def consume_ahead(ground: Ground, clone: Clone, topic: str, stopwatch: Stopwatch) -> None:
    """The same, reading the next batch while one is at work."""
    await _consume(ground, clone, topic, stopwatch, ahead=True)


async def _consume(ground: Ground, clone: Clone, topic: str, stopwatch: Stopwatch, *, ahead: bool) -> None:
    effect = _invite if topic == WalkCompleted.topic else _follow_referrals
    connection: Connection = await asyncpg.connect(clone.bus_url, server_settings={"timezone": "UTC", "jit": "off"})
    consumer = AIOKafkaConsumer(
        bootstrap_servers=ground.bootstrap,
        group_id=ground.group(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
        session_timeout_ms=2_000,
        heartbeat_interval_ms=500,
    )
    offsets = _Offsets(consumer)
    consumer.subscribe([topic], listener=offsets)
    await consumer.start()
    working: asyncio.Task[None] | None = None
    try:
        while not stopwatch.done.is_set():
            read: list[Read] = []
            ends: dict[TopicPartition, int] = {}
            while room := min(_SLICE if ahead else LARGEST_BATCH, LARGEST_BATCH - len(read)):
                # In slices where a batch is at work, which need not wait for all of it.
                taken = await consumer.getmany(timeout_ms=0 if read or working else 20, max_records=room)
                if not taken:
                    break
                stopwatch.arrived()
                for place, records in taken.items():
                    read += map(_read, records)
                    ends[place] = records[-1].offset + 1
                await asyncio.sleep(0)
            if working is not None:
                await working
                working = None
            if read:
                working = asyncio.create_task(_take(connection, read, effect, stopwatch, offsets, ends))
                await (asyncio.sleep(0) if ahead else asyncio.wait([working]))
    finally:
        if working is not None:
            await working
        await offsets.committed()
        await consumer.stop()
        await connection.close()


class _Offsets(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Offsets follow the database, the newest in one commit."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._reached: dict[TopicPartition, int] = {}
        self._committing: asyncio.Task[None] | None = None

    def reach(self, ends: dict[TopicPartition, int]) -> None:
        self._reached |= ends
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit())

    async def _commit(self) -> None:
        while self._reached:
            reached, self._reached = self._reached, {}
            await self._consumer.commit(reached)

    async def committed(self) -> None:
        if self._committing is not None:
            await asyncio.wait([self._committing])

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._reached.clear()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        pass


async def _take(
    connection: Connection,
    read: list[Read],
    effect: Effect,
    stopwatch: Stopwatch,
    offsets: _Offsets,
    ends: dict[TopicPartition, int],
) -> None:
    many = len(read)
    now = datetime.now(UTC)
    forces = ",".join(sorted({envelope.force_id for envelope, _ in read}))
    await connection.execute(f"BEGIN; SELECT set_config('walkandtalk.forces', '{forces}', true)")
    rows = await connection.fetch(
        BUS.receive.sql, [envelope.force_id for envelope, _ in read], [envelope.id for envelope, _ in read], now
    )
    asked = [envelope.force_id for envelope, _ in read], [event.key for _, event in read]
    if await connection.fetchval(BUS.held_or_erased.sql, *asked):
        raise RuntimeError("the ceiling has no way to hold records")
    if len(rows) < len(read):
        new = {row["id"] for row in rows}
        # Each once: the second of two in this batch may stand after a later event of its key.
        first: dict[UUID, Read] = {}
        for one in read:
            if one[0].id in new:
                first.setdefault(one[0].id, one)
        read = list(first.values())
    await effect(connection, read, now)
    await connection.execute("COMMIT")
    stopwatch.took_effect(many)
    offsets.reach(ends)


def _read(record: ConsumerRecord[Any, Any]) -> Read:
    envelope = Envelope.read(dict(record.headers))
    if envelope.force_id not in POLICIES:
        raise ValueError("a force that is not served here")
    event: Any = _TYPES[envelope.type].model_validate_json(record.value)
    if record.key != str(event.key).encode():
        raise ValueError("the key is not the aggregate's id")
    return envelope, event


async def _invite(connection: Connection, fresh: Sequence[Read], now: datetime) -> None:
    hours = {force: timedelta(hours=POLICIES[force].surveys.invite_after_hours) for force in POLICIES.forces}
    made = [(uuid4(), walk.ended_at + hours[envelope.force_id]) for envelope, walk in fresh]
    rows = await connection.fetch(
        FEEDBACK.save_invitations.sql,
        [envelope.force_id for envelope, _ in fresh],
        [walk.walk_id for _, walk in fresh],
        ["after-walk"] * len(fresh),
        [id_ for id_, _ in made],
        [walk.area_id for _, walk in fresh],
        [len(walk.request_ids) for _, walk in fresh],
        [_month(walk.ended_at) for _, walk in fresh],
        [send_from for _, send_from in made],
    )
    first = {row["id"] for row in rows}
    told = [(*one, *of) for one, of in zip(fresh, made, strict=True) if of[0] in first]
    await connection.execute(
        BUS.append.sql,
        [envelope.force_id for envelope, _, _, _ in told],
        ["feedback.v1"] * len(told),
        [walk.walk_id for _, walk, _, _ in told],
        [_version_7() for _ in told],
        ["uk.police.walkandtalk.survey-invited.v1"] * len(told),
        [now] * len(told),
        [envelope.correlation_id or envelope.id for envelope, _, _, _ in told],
        [envelope.id for envelope, _, _, _ in told],
        [envelope.traceparent for envelope, _, _, _ in told],
        [None] * len(told),
        [
            f'{{"invitation_id":"{id_}","walk_id":"{walk.walk_id}","survey":"after-walk",'
            f'"send_from":"{send_from.isoformat().replace("+00:00", "Z")}"}}'.encode()
            for _, walk, id_, send_from in told
        ],
    )


async def _follow_referrals(connection: Connection, fresh: Sequence[Read], now: datetime) -> None:
    # Order per key holds for the ceiling as well, or it would end in other rows.
    for group in waves((envelope.type, event.key, (envelope, event)) for envelope, event in fresh):
        known = {
            row["id"]
            for row in await connection.fetch(FEEDBACK.known_concerns.sql, [event.concern_id for _, event in group])
        }
        if any(event.concern_id not in known for _, event in group):
            raise RuntimeError("the ceiling has no way to wait for parents")
        await connection.execute(
            FEEDBACK.save_referrals.sql,
            [envelope.force_id for envelope, _ in group],
            [event.referral_id for _, event in group],
            [event.concern_id for _, event in group],
            [event.partner_id for _, event in group],
            [_state(event) for _, event in group],
        )
        if isinstance(group[0][1], ConcernResolved):
            await connection.execute(
                FEEDBACK.resolve_concerns.sql,
                [envelope.force_id for envelope, _ in group],
                [event.concern_id for _, event in group],
                [event.resolution for _, event in group],
                [envelope.time.astimezone(_LONDON).date() for envelope, _ in group],
            )


def _month(moment: datetime) -> str:
    there = moment.astimezone(_LONDON)
    return f"{there.year}-{there.month:02}"


def _state(event: Event) -> str:
    match event:
        case ReferralAccepted():
            return "accepted"
        case ReferralUpdated():
            return event.progress.value
        case ConcernResolved():
            return "done" if event.resolution is Resolution.DONE else "nothing-more"
        case _:
            return "referred"


def _version_7() -> UUID:
    """RFC 9562 §5.7: milliseconds, then random bits."""
    drawn = int.from_bytes(os.urandom(10), "big")
    value = (time.time_ns() // 1_000_000) << 80 | drawn
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)
