"""A broker in memory: partitioned logs, one consumer group, refusals, lost answers, rebalances, loss of its memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import uuid4

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaConnectionError, KafkaError, NotEnoughReplicasError

from shared.bus.consumption import Consumption
from shared.bus.inbox import Inbox
from shared.bus.metrics import BusMetrics
from shared.bus.publishers import _record, by_place
from shared.database import TRANSIENT, Row
from tests.model.process import at_the_broker

PARTITIONS: Final = 2
NOTICES_AFTER: Final = 1.0
"""Seconds (of the loop) after which a consumer's heartbeat tells it that the broker has forgotten its group."""

Place = tuple[str, int]


class Answer(Enum):
    """What a partition does with the records of one flight."""

    TAKES = "takes them"
    REFUSES = "refuses them"
    TAKES_FIRST = "takes the first and refuses the rest"
    LOSES_ANSWER = "takes them, and its answer is lost"


class Stored(NamedTuple):
    """A record as it stands in a log."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass
class Life:
    """What the broker knows from one start to the loss of its memory."""

    id: str
    born: float
    logs: dict[Place, list[Stored]]
    committed: dict[Place, int] = field(default_factory=dict)
    generation: int = 0


class SimulatedBroker:
    """Keeps the order of a partition, which is all that Kafka promises; the rest may happen."""

    def __init__(self, topics: Sequence[str]) -> None:
        self.topics = tuple(topics)
        self.answers: deque[Answer] = deque()
        """What the next flights' partitions do, in turn; afterwards they take what comes."""
        self.members: list[Member] = []
        self.owner: dict[Place, Member] = {}
        self.life = self._new_life()

    def _new_life(self) -> Life:
        places = [(topic, n) for topic in self.topics for n in range(PARTITIONS)]
        try:
            born = asyncio.get_running_loop().time()
        except RuntimeError:
            born = 0.0
        return Life(uuid4().hex, born, {place: [] for place in places})

    def forget_everything(self) -> None:
        """Killed and started again, empty and under another cluster id; nobody is told."""
        self.life = self._new_life()
        self.answers.clear()

    def append(self, place: Place, records: Sequence[Stored]) -> None:
        answer = self.answers.popleft() if self.answers else Answer.TAKES
        if answer is Answer.REFUSES:
            raise NotEnoughReplicasError("refused by the test")
        if answer is Answer.TAKES_FIRST:
            self.life.logs[place] += records[:1]
            raise NotEnoughReplicasError("refused by the test")
        self.life.logs[place] += records
        if answer is Answer.LOSES_ANSWER:
            raise KafkaConnectionError("the answer was lost by the test")

    def share_out(self, turn: int = 0) -> None:
        """Give the partitions out anew among the members; those in the middle of a batch go on and do not know."""
        self.life.generation += 1
        self.owner = {}
        for n, place in enumerate(sorted(self.life.logs)):
            if self.members:
                self.owner[place] = self.members[(n + turn) % len(self.members)]

    def give(self, member: Member, topics: Sequence[str]) -> None:
        """All partitions of these topics go to one member; whoever is in the middle of a batch goes on."""
        self.life.generation += 1
        self.owner |= {place: member for place in self.life.logs if place[0] in topics}

    def lag(self, topics: Sequence[str]) -> int:
        """Records of these topics that the group has not acknowledged, or has without there being any."""
        return sum(
            abs(len(log) - self.life.committed.get(place, 0))
            for place, log in self.life.logs.items()
            if place[0] in topics
        )


class SimulatedPublisher:
    """As OneConnectionPublisher: one connection, which belongs to one life of the broker.

    A partition that refuses does not keep the others from taking theirs; a partition that refused takes nothing more of
    this flight.
    """

    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker
        self._life: Life | None = None

    async def start(self) -> str:
        def connect() -> None:
            self._life = self._broker.life

        await at_the_broker("connect to broker", connect)
        return await self.bus_id()

    async def bus_id(self) -> str:
        return await at_the_broker("ask who the broker is", lambda: self._connected().id)

    def _connected(self) -> Life:
        if self._life is None or self._life is not self._broker.life:
            raise KafkaConnectionError("the connection to the broker is gone")
        return self._life

    async def prepare(self, source: str, rows: Sequence[Row]) -> Callable[[], Coroutine[Any, Any, None]]:
        partitions = {row["topic"]: list(range(PARTITIONS)) for row in rows}
        flight = {place: [_stored(row, source) for row in mine] for place, mine in by_place(rows, partitions).items()}
        return partial(self._publish, flight)

    async def publish(self, source: str, rows: Sequence[Row]) -> None:
        await (await self.prepare(source, rows))()

    async def _publish(self, flight: Mapping[Place, Sequence[Stored]]) -> None:
        refused: list[Exception] = []
        for place, records in flight.items():

            def append(place: Place = place, records: Sequence[Stored] = records) -> None:
                self._connected()
                try:
                    self._broker.append(place, records)
                except NotEnoughReplicasError as fault:
                    refused.append(fault)

            await at_the_broker(f"append to {place[0]}/{place[1]}", append)
        if refused:
            raise refused[0]

    async def stop(self) -> None:
        self._life = None


def _stored(row: Row, source: str) -> Stored:
    made: dict[str, Any] = _record(row, source)
    return Stored(made["key"], made["value"], tuple(made["headers"]))


class Member:
    """A consumer of the group as aiokafka's is one, and the service's own way through its records."""

    def __init__(self, broker: SimulatedBroker, inbox: Inbox, metrics: BusMetrics, topics: Sequence[str]) -> None:
        self._broker, self._inbox, self._metrics, self._topics = broker, inbox, metrics, topics
        self._life: Life | None = None
        self._generation = -1
        self._positions: dict[Place, int] = {}
        self._consumption = Consumption(inbox, metrics, Member.commit)
        self._most = 500
        self._handed_out = 0
        broker.members.append(self)
        broker.share_out()

    def leave(self) -> None:
        """It was killed: its partitions go to others."""
        if self in self._broker.members:
            self._broker.members.remove(self)
            self._broker.share_out()

    @property
    def _owed(self) -> bool:
        """Whether anything of its partitions is not acknowledged, or the group has moved on without it."""
        life = self._broker.life
        return (life, life.generation) != (self._life, self._generation) or any(
            len(log) > life.committed.get(place, 0)
            for place, log in life.logs.items()
            if self._broker.owner.get(place) is self and place[0] in self._topics
        )

    async def consume(self, tasks: set[asyncio.Task[Any]], most: int = 500, seconds: float | None = None) -> None:
        """Read batches of so many records, for a while, or until nothing is owed.

        :param tasks: where what runs is written down.
        """
        self._most, self._consumption = most, Consumption(self._inbox, self._metrics, Member.commit)
        taking = asyncio.get_running_loop().create_task(self._take())
        tasks.add(taking)
        try:
            for _ in range(400):
                await asyncio.wait([taking], timeout=seconds or 0.25)
                if taking.done() or seconds is not None or not self._owed:
                    break
            else:
                raise AssertionError("the consumer does not come to rest")
        finally:
            await self._consumption.stop()
            await taking

    async def _take(self) -> None:
        """As FastStream does: whatever came of a batch, the next is taken."""
        while not self._consumption._stopping:
            with contextlib.suppress(*TRANSIENT, KafkaError):
                await self._consumption.take(self, [])

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        """What Consumption asks for; a batch ends with an answer that is empty."""
        found = await at_the_broker("fetch", lambda: self._fetch(max_records or 500))
        # Only now: of records whose answer was lost, aiokafka's consumer has handed none out.
        for place, records in found.items():
            self._positions[(place.topic, place.partition)] = records[-1].offset + 1
            self._handed_out += len(records)
        if not found and timeout_ms:
            await asyncio.sleep(timeout_ms / 1000)
        return found

    def _fetch(self, most: int) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        self._notice()
        found: dict[TopicPartition, list[ConsumerRecord[Any, Any]]] = {}
        room = min(most, self._most - self._handed_out)
        self._handed_out = 0 if room <= 0 else self._handed_out
        for place, position in sorted(self._positions.items()):
            log = self._broker.life.logs[place]
            end = min(len(log), position + room)
            if end > position:
                found[TopicPartition(*place)] = [
                    ConsumerRecord(*place, offset, 0, 0, stored.key, stored.value, None, 0, 0, stored.headers)
                    for offset, stored in enumerate(log[position:end], position)
                ]
                room -= end - position
        return found

    def _notice(self) -> None:
        """Rejoin when the group has moved on. A broker without its memory is noticed by the next heartbeat only."""
        life = self._broker.life
        if self._life is life and self._generation == life.generation:
            return
        if self._life is not None and self._life is not life:
            if asyncio.get_running_loop().time() < life.born + NOTICES_AFTER:
                return
            if not any(member._life is life for member in self._broker.members):
                self._broker.share_out()
        elif not self._broker.owner:
            self._broker.share_out()
        self._consumption.on_partitions_revoked([])
        self._life, self._generation = life, life.generation
        self._positions = {
            place: life.committed.get(place, 0)
            for place, owner in self._broker.owner.items()
            if owner is self and place[0] in self._topics
        }
        self._consumption.on_partitions_assigned([])

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """What Consumption asks for. Refused to a member the group has moved on without."""

        def commit() -> None:
            now = self._broker.life
            if self._life is not now or self._generation != now.generation:
                raise CommitFailedError("the group has moved on")
            now.committed.update({(place.topic, place.partition): offset for place, offset in offsets.items()})

        await at_the_broker("commit offsets", commit)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """What Consumption asks for to hand a batch back."""
        place = (partition.topic, partition.partition)
        if place in self._positions:
            self._positions[place] = offset
