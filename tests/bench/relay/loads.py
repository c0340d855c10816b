"""What is published: events about referrals of four types, some twenty a key, as the services send them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from uuid6 import uuid7

from shared.bus.outbox import Fact
from shared.contracts.envelope import TYPE_PREFIX, Envelope, Received
from shared.contracts.referrals import ReferralMade
from tests.bench.consumption.loads import FORCE, MIXED
from tests.bench.ground import Recorded

TOPIC = ReferralMade.topic
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass(frozen=True, slots=True)
class Load:
    """The same events twice: as they are appended, and as the records they become."""

    facts: Sequence[Fact]
    records: Sequence[Recorded]

    def part(self, many: int) -> Load:
        """The first so many."""
        return Load(self.facts[:many], self.records[:many])


def load(many: int) -> Load:
    """So many events of 2,000 keys at random, each with a cause, so that every header is there."""
    now = datetime.now(UTC)
    facts: list[Fact] = []
    records: list[Recorded] = []
    sequences: Counter[UUID] = Counter()
    for event in MIXED.events(many):
        sequences[event.key] += 1
        correlation, cause = uuid4(), UUID(int=uuid7().int)
        received: Received[Any] = Received(event, cause, FORCE, now, 1, correlation, _TRACE)
        facts.append(Fact(event, FORCE, now, received))
        envelope = Envelope(
            id=UUID(int=uuid7().int),
            source="/feedback",
            type=event.type(),
            time=now,
            subject=str(event.key),
            dataschema="urn:walkandtalk:schema:" + event.type().removeprefix(TYPE_PREFIX),
            force_id=FORCE,
            sequence=sequences[event.key],
            correlation_id=correlation,
            causation_id=cause,
            traceparent=_TRACE,
        )
        value = event.model_dump_json(exclude_none=True).encode()
        records.append((event.bus_topic, str(event.key).encode(), value, envelope.headers()))
    return Load(facts, records)
