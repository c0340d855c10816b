"""Partners as it runs: concerns come over the bus, the partner's topic and mailbox fill, its answer goes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from uuid6 import uuid7

from services.partners.app import build
from shared.contracts.envelope import Envelope, Event
from shared.contracts.partner_view import partner_topic
from shared.embedded.broker import EmbeddedBroker
from shared.embedded.processes import free_port
from shared.embedded.sign_in import bearer_token
from shared.embedded.topics import embedded_topics
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker
from tests.servers.local_programs import IdentityServer, MailboxServer
from tests.servers.partners_service import FORCE, START, a_concern, an_area, settings_of

COUNCIL_TOPIC = partner_topic("bristol-city-council")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    found = EmbeddedBroker(free_port(), tmp_path / "broker", embedded_topics())
    found.start()
    yield found
    found.stop()


@pytest.fixture
async def client(
    broker: EmbeddedBroker,
    database: ServiceDatabaseMaker,
    identity_provider: IdentityServer,
    mailbox: MailboxServer,
    tmp_path: Path,
) -> AsyncIterator[httpx.AsyncClient]:
    """The service with all its loops, and the council's own person signed in."""
    found: ServiceDatabase = await database("partners")
    settings = settings_of(
        found,
        identity_provider,
        roles=("web", "bus"),
        kafka_bootstrap=broker.bootstrap,
        kafka_idempotent=False,
        data_dir=tmp_path,
        smtp_port=mailbox.smtp_port,
    )
    app = build(settings)
    token = await bearer_token(
        identity_provider.issuer,
        identity_provider.client_id,
        identity_provider.client_secret,
        "partner-bristol-city-council",
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://localhost:8003",
            headers={"authorization": f"Bearer {token}"},
        ) as found_client,
    ):
        yield found_client


async def publish(broker: EmbeddedBroker, *events: Event) -> None:
    """As assignment's relay does."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    await producer.start()
    try:
        for event in events:
            envelope = Envelope(
                UUID(int=uuid7().int), "/assignment", event.type(), START, str(event.key), "", FORCE, 1, uuid4()
            )
            await producer.send_and_wait(
                event.topic, event.model_dump_json().encode(), str(event.key).encode(), headers=envelope.headers()
            )
    finally:
        await producer.stop()


async def records(broker: EmbeddedBroker, topic: str, many: int) -> list[Any]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            return [await consumer.getone() for _ in range(many)]
    finally:
        await consumer.stop()


async def mailed(mailbox: MailboxServer, reference: str) -> bool:
    """Whether an e-mail to the council names the reference."""
    async with httpx.AsyncClient(base_url=mailbox.url) as client:
        listed = await client.get("/api/messages", params={"to": "safer-streets@bristol-city-council.example"})
        texts = [(await client.get(f"/api/messages/{one['id']}")).json()["text"] for one in listed.json()]
    return any(reference in text for text in texts)


async def test_concern_reaches_the_partner_and_its_answer_the_force(
    broker: EmbeddedBroker, client: httpx.AsyncClient, mailbox: MailboxServer
) -> None:
    """Topic, e-mail and page on the way out; acceptance on both topics on the way back; nothing leads back."""
    concern = a_concern()
    # The concern overtakes its area: topics have no order between them.
    await publish(broker, concern, an_area())
    (view,) = await records(broker, COUNCIL_TOPIC, 1)
    headers = dict(view.headers)
    assert set(headers) == {
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_subject",
        "ce_dataschema",
        "content-type",
        "ce_forceid",
        "ce_sequence",
    }
    reference = json.loads(view.value)["reference"]
    assert view.key.decode() == reference
    assert headers["ce_time"].endswith(b"T00:00:00Z")
    assert str(concern.concern_id).encode() not in view.value

    async with asyncio.timeout(30):
        while not await mailed(mailbox, reference):  # noqa: ASYNC110  # another process: it can only be asked again
            await asyncio.sleep(0.1)

    accepted = await client.post(f"/api/v1/referrals/{reference}/accept")
    assert accepted.json()["state"] == "accepted"
    assert [dict(one.headers)["ce_sequence"] for one in await records(broker, COUNCIL_TOPIC, 2)] == [b"1", b"2"]
    told = await records(broker, "referrals.v1", 2)
    assert [dict(one.headers)["ce_type"].decode().split(".")[-2] for one in told] == [
        "referral-made",
        "referral-accepted",
    ]
    assert {one.key.decode() for one in told} == {str(concern.concern_id)}
    ready = await client.get("/health/ready/bus")
    assert ready.status_code == 200
