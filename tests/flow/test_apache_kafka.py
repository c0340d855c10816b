"""The story on Apache Kafka, which is killed in its middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded.stack import BROKER, Stack
from shared.embedded.topics import embedded_topics
from tests.flow.test_story import disturbed
from tests.servers.apache_kafka import ApacheKafka
from tests.servers.bus_rig import create_topics
from tests.servers.whole import ports_of_our_own, with_postcodes

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def kafka_stack(apache_kafka: ApacheKafka, server_folder: Path) -> Iterator[Stack]:
    """The four services on Apache Kafka with an idempotent producer."""
    with Stack(with_postcodes(server_folder / "kafka-stack"), ports_of_our_own(), broker=apache_kafka) as running:
        yield running


async def test_the_story_on_apache_kafka_survives_its_death(kafka_stack: Stack, apache_kafka: ApacheKafka) -> None:
    """Apache Kafka is killed in the middle and started again; every walk comes through once."""
    await create_topics(apache_kafka, embedded_topics())

    def disturb() -> None:
        kafka_stack.kill(BROKER)
        kafka_stack.start(BROKER)

    report = await disturbed(kafka_stack, 12, disturb)
    assert report.faults == []
    assert (report.requested, report.completed) == (12, 12)
