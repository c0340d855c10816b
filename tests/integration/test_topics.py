"""The topics of deploy/topics.yaml, made on a real Apache Kafka."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.bus.topics import Topics, create_missing
from shared.contracts.catalogue import SERVICES
from shared.embedded.processes import free_port
from shared.policies import Policies
from tests.servers.apache_kafka import ApacheKafka

DEPLOY = Path(__file__).parents[2] / "deploy"
TOPICS = Topics.read(DEPLOY / "topics.yaml")
POLICIES = Policies.read(DEPLOY / "forces")
SPECS = [spec for service in SERVICES for spec in TOPICS.names_for(service, POLICIES, one_broker=True)]


async def test_missing_topics_are_created_and_the_others_left_alone(apache_kafka: ApacheKafka) -> None:
    """Twice is as good as once: partitions and retention are those of the file."""
    await create_missing(apache_kafka.bootstrap, SPECS, asyncio.Event())
    await create_missing(apache_kafka.bootstrap, SPECS, asyncio.Event())
    admin = AIOKafkaAdminClient(bootstrap_servers=apache_kafka.bootstrap)
    await admin.start()
    try:
        assert {spec.name for spec in SPECS} <= set(await admin.list_topics())
        described = await admin.describe_topics([spec.name for spec in SPECS])
        assert {len(topic["partitions"]) for topic in described} == {4}
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "concerns.v1")])
        configured = {entry[0]: entry[1] for entry in answer.resources[0][4]}
        assert configured["retention.ms"] == str(7 * 86_400_000)
    finally:
        await admin.close()


async def test_broker_that_is_away_is_waited_for_until_told_to_stop() -> None:
    """A service starts before its broker; stopping it does not wait for one."""
    stopping = asyncio.Event()
    waiting = asyncio.create_task(create_missing(f"127.0.0.1:{free_port()}", SPECS, stopping))
    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    assert not done
    stopping.set()
    await asyncio.wait_for(waiting, 10)
