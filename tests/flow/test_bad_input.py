"""Rubbish on every topic, and at every door: parked or refused with its reason, while everything else goes on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts.catalogue import SERVICES
from shared.contracts.envelope import TYPE_PREFIX, Envelope
from shared.contracts.generate import subscribed
from shared.embedded.demo import Demo
from shared.embedded.stack import Stack
from tests.flow.test_commands import walkandtalk
from tests.flow.test_story import a_request
from tests.servers.everywhere import rows

pytestmark = pytest.mark.timeout(240)
FORCE = "avon-and-somerset"
SUBSCRIBED = {service: tuple(subscribed(service)) for service in SERVICES}


async def _send(producer: AIOKafkaProducer, topic: str, type_: str, value: bytes) -> None:
    key = uuid4()
    headers = Envelope(uuid4(), "/stranger", type_, datetime.now(UTC), str(key), "", FORCE, 1).headers()
    await producer.send_and_wait(topic, key=str(key).encode(), value=value, headers=headers)


async def test_rubbish_on_every_topic_is_parked_and_the_stream_goes_on(stack: Stack) -> None:
    """Broken JSON and a breach of the schema for every event each service takes: parked with a reason in that service
    and told on its parked topic; unknown types are counted; walks pass meanwhile; a person lists and discards."""
    wanted = {service: 2 * len(events) for service, events in SUBSCRIBED.items()}
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap)
    await producer.start()
    try:
        for event in {event for events in SUBSCRIBED.values() for event in events}:
            await _send(producer, event.topic, event.type(), b"{broken")
            await _send(producer, event.topic, event.type(), b"{}")
            await _send(producer, event.topic, f"{TYPE_PREFIX}nobody-knows-this.v1", b"{}")
    finally:
        await producer.stop()
    report = await Demo(stack, 3, seed=11).run()
    assert report.faults == []

    for service in SERVICES:
        async with asyncio.timeout(30):
            while True:
                held = await rows(stack, service, "SELECT why, reason, position FROM held ORDER BY position")
                if len(held) >= wanted[service]:
                    break
                await asyncio.sleep(0.2)
        assert {row["why"] for row in held} == {"unreadable"}
        assert len(held) == wanted[service]
        assert {"data: json_invalid"} < {row["reason"] for row in held}
        assert any("missing" in row["reason"] for row in held)
        async with httpx.AsyncClient(timeout=20) as client:
            metrics = (await client.get(f"{stack.urls[service]}/metrics")).text
        assert 'walkandtalk_bus_events_total{event="unknown",outcome="skipped"}' in metrics
        told = await rows(stack, service, "SELECT count(*) FROM outbox_log WHERE topic = $1", f"{service}.parked.v1")
        assert told[0][0] == wanted[service]

        if service == "intake":
            await _looked_after(stack, service, [row["position"] for row in held])
        # Left behind, they would hold up nobody, but every later test would have to know of them.
        await rows(stack, service, "DELETE FROM held")


async def _looked_after(stack: Stack, service: str, numbers: list[int]) -> None:
    """What a person does about parked records: list, show, retry, give up."""
    many, first = len(numbers), str(numbers[0])
    listed = await asyncio.to_thread(walkandtalk, stack, service, "parked", "list", service)
    assert listed.returncode == 0 and listed.stdout.count("unreadable") == many, listed.stderr
    shown = await asyncio.to_thread(walkandtalk, stack, service, "parked", "show", service, first)
    assert shown.returncode == 0 and "ce_type" in shown.stdout
    retried = await asyncio.to_thread(walkandtalk, stack, service, "parked", "retry", service, first)
    assert retried.returncode == 0 and retried.stdout.count("unreadable") == many
    left = [str(row["position"]) for row in await rows(stack, service, "SELECT position FROM held")]
    discarded = await asyncio.to_thread(walkandtalk, stack, service, "parked", "discard", service, *left, "--yes")
    assert discarded.returncode == 0, discarded.stderr
    assert await rows(stack, service, "SELECT 1 FROM held") == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"over_18": False}, "over_18"),
        ({"consent": None}, "consent"),
        ({"force_id": "nowhere"}, "force_id"),
        ({"force_id": 7}, "force_id"),
        ({"place": {"postcode": "XX99 9XX"}}, "place.postcode"),
        ({"place": {}}, "place"),
        ({"place": {"latitude": 91, "longitude": 0}}, "place"),
        ({"contact": {"channels": ["pigeon"]}}, "contact.channels"),
        ({"contact": {"channels": ["email"]}}, "contact.email"),
        ({"availability": {"days": ["someday"], "parts": ["evening"]}}, "availability.days"),
        ({"baseline": {"safe-after-dark": "sometimes"}}, "baseline"),
        ({"shoe_size": 38}, "shoe_size"),
    ],
)
async def test_a_bad_request_is_refused_naming_the_field_and_nothing_is_stored(
    stack: Stack, changed: dict[str, object], field: str
) -> None:
    """422 with a problem document that names the field; neither a request nor a person nor an event stands after it."""
    counts = (
        "SELECT (SELECT count(*) FROM walk_request), (SELECT count(*) FROM participant),"
        " (SELECT max(position) FROM outbox_log)"
    )
    before = await rows(stack, "intake", counts)
    async with httpx.AsyncClient(base_url=stack.urls["intake"], timeout=20) as client:
        answer = await client.post(
            "/api/v1/walk-requests", json=a_request(**changed), headers={"Idempotency-Key": uuid4().hex}
        )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    fields = [one["field"] for one in answer.json()["errors"]]
    assert any(one == field or one.startswith(f"{field}.") for one in fields), fields
    assert await rows(stack, "intake", counts) == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 50_000])
async def test_what_is_no_request_at_all_is_refused(stack: Stack, body: bytes) -> None:
    """Bodies that are no JSON, or not an object, or nested beyond reason: refused as a client's fault, never a 5xx."""
    async with httpx.AsyncClient(base_url=stack.urls["intake"], timeout=20) as client:
        answer = await client.post(
            "/api/v1/walk-requests",
            content=body,
            headers={"Idempotency-Key": uuid4().hex, "Content-Type": "application/json"},
        )
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
