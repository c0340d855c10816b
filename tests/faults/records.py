"""All that stands on the topics, and mischief with it: records sent again, swapped and spoiled."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import ValidationError

from shared.contracts.catalogue import SERVICES
from shared.contracts.envelope import Event
from shared.contracts.generate import subscribed
from shared.embedded.broker import PARTITIONS
from shared.embedded.topics import embedded_topics

SUBSCRIBED: Final[dict[str, dict[str, type[Event]]]] = {
    service: {event.type(): event for event in subscribed(service)} for service in SERVICES
}
"""By service: the events it takes, by type."""


class Seen(NamedTuple):
    """A record as it stands on its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str:
        """A header, or nothing."""
        return next((value.decode(errors="replace") for own, value in self.headers if own == name), "")


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A bad record put on a topic by us, and those of its key behind it."""

    topic: str
    key: bytes
    how: str
    followers: tuple[UUID, ...]
    parked_by: frozenset[str]
    """Services that have to park it as unreadable."""
    behind: frozenset[str]
    """Services that have to keep its followers behind it."""


@dataclass
class Mischief:
    """What was done to the topics. Everything is drawn from the seed but ids."""

    bootstrap: str
    seed: int
    spoiled: list[Spoiled] = field(default_factory=list)
    repeated: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(f"mischief {self.seed}")

    async def repeat(self, service: str, many: int) -> None:
        """Copies of records that stand on the topics this service reads, old ones after newer ones."""
        records = await self._some(service, many)
        await self._send([(one.topic, one.key, one.value, one.headers) for one in records])
        self.repeated += len(records)

    async def swap(self, service: str, many: int) -> None:
        """Two records of one key again, the later one first."""
        by_key: dict[tuple[str, bytes], list[Seen]] = {}
        for one in await self._some(service, 400):
            by_key.setdefault((one.topic, one.key), []).append(one)
        pairs = [records[-2:][::-1] for records in by_key.values() if len(records) > 1]
        swapped = [one for pair in self._chance.sample(pairs, min(len(pairs), many // 2 + 1)) for one in pair]
        await self._send([(one.topic, one.key, one.value, one.headers) for one in swapped])
        self.repeated += len(swapped)

    async def spoil(self, service: str, many: int) -> None:
        """Bad records of keys nobody knows, each with sound ones of the same key behind it."""
        models = [one for one in await self._some(service, 200) if one.header("ce_type") in SUBSCRIBED[service]]
        self._chance.shuffle(models)
        for model in models[: min(many, len(models))]:
            await self._spoil(model)

    async def _spoil(self, model: Seen) -> None:
        key = str(uuid4())
        type_ = model.header("ce_type")
        sound = model.value.replace(model.key, key.encode())
        if not _reads(type_, sound, key):
            # The key is derived from other data, so a record of a key of our own cannot be made of it.
            return
        how = self._chance.choice(("no JSON", "against the schema", "a header missing", "a header unreadable"))
        headers = _headers(model, uuid4(), key, 1)
        value = sound
        match how:
            case "no JSON":
                value = sound[: len(sound) // 2]
            case "against the schema":
                value = json.dumps({"nothing": "of the kind"}).encode()
            case "a header missing":
                headers = [one for one in headers if one[0] != "ce_id"]
            case _:
                headers = [(name, b"yesterday" if name == "ce_time" else found) for name, found in headers]
        followers = [uuid4() for _ in range(self._chance.randint(1, 3))]
        takes = {service for service in SERVICES if type_ in SUBSCRIBED[service]}
        reads = {service for service in SERVICES if model.topic in {e.topic for e in SUBSCRIBED[service].values()}}
        parked_by = reads if how.startswith("a header") else takes
        spoiled = Spoiled(model.topic, key.encode(), how, tuple(followers), frozenset(parked_by), frozenset(takes))
        # Noted first: a record whose sending seems to fail may have arrived.
        self.spoiled.append(spoiled)
        await self._send([(model.topic, key.encode(), value, tuple(headers))])
        await self._send(
            [
                (model.topic, key.encode(), sound, tuple(_headers(model, id_, key, n)))
                for n, id_ in enumerate(followers, 2)
            ]
        )

    async def _some(self, service: str, many: int) -> list[Seen]:
        """Records of the topics a service reads, from anywhere on them, in the order they stand there."""
        topics = sorted({event.topic for event in SUBSCRIBED[service].values()})
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=None)
        await consumer.start()
        try:
            places = [TopicPartition(topic, n) for topic in topics for n in range(PARTITIONS)]
            ends = await consumer.end_offsets(places)
            consumer.assign(places)
            left = {}
            for place in places:
                start = self._chance.randint(0, max(0, ends[place] - 1))
                consumer.seek(place, start)
                if ends[place] > start:
                    left[place] = ends[place]
            found: list[Seen] = []
            while left and len(found) < many * 4:
                for place, records in (await consumer.getmany(timeout_ms=500, max_records=many)).items():
                    found += [_seen(record) for record in records]
                    if records and records[-1].offset + 1 >= left.get(place, 0):
                        left.pop(place, None)
        finally:
            await consumer.stop()
        own = {spoiled.key for spoiled in self.spoiled}
        found = [one for one in found if one.key not in own]
        chosen = sorted(self._chance.sample(range(len(found)), min(many, len(found))))
        return [found[n] for n in chosen]

    async def _send(self, records: Sequence[tuple[str, bytes, bytes, tuple[tuple[str, bytes], ...]]]) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=30_000
        )
        await producer.start()
        try:
            for topic, key, value, headers in records:
                await producer.send_and_wait(topic, key=key, value=value, headers=list(headers))
        finally:
            await producer.stop()


async def everything_on(bootstrap: str) -> list[Seen]:
    """Every record of every topic, in the order of each partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    await consumer.start()
    try:
        places = [TopicPartition(topic, n) for topic in embedded_topics() for n in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        left = {place: end for place, end in (await consumer.end_offsets(places)).items() if end}
        found: list[Seen] = []
        while left:
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                found += [_seen(record) for record in records]
                if records and records[-1].offset + 1 >= left.get(place, 0):
                    left.pop(place, None)
    finally:
        await consumer.stop()
    return sorted(found, key=lambda one: (one.topic, one.partition, one.offset))


def _seen(record: object) -> Seen:
    # ConsumerRecord carries no types.
    return Seen(
        record.topic,  # type: ignore[attr-defined]
        record.partition,  # type: ignore[attr-defined]
        record.offset,  # type: ignore[attr-defined]
        record.key or b"",  # type: ignore[attr-defined]
        record.value or b"",  # type: ignore[attr-defined]
        tuple(record.headers),  # type: ignore[attr-defined]
    )


def _reads(type_: str, value: bytes, key: str) -> bool:
    event = next(events[type_] for events in SUBSCRIBED.values() if type_ in events)
    try:
        return str(event.model_validate_json(value).key) == key
    except ValidationError:
        return False


def _headers(model: Seen, id_: UUID, key: str, sequence: int) -> list[tuple[str, bytes]]:
    own = {"ce_id": str(id_), "ce_subject": key, "ce_sequence": str(sequence)}
    return [(name, own[name].encode() if name in own else value) for name, value in model.headers]
