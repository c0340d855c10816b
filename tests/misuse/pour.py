"""Pours bad records into the topics of a running stack, and waits until every service has seen to them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Final
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaProducer

from shared.contracts.catalogue import SERVICES
from shared.contracts.envelope import Envelope
from shared.contracts.generate import subscribed
from shared.embedded.broker import PARTITIONS
from shared.embedded.stack import Stack
from tests.misuse import records
from tests.misuse.flood import Found
from tests.misuse.hostile import Marks
from tests.misuse.records import Bad
from tests.servers.everywhere import rows

KINDS: Final[dict[str, Callable[[Random, str], Bad]]] = {
    "events: no JSON": records.no_json,
    "events: breaches": records.breach,
    "events: bad headers": records.bad_headers,
    "events: wrong key": records.wrong_key,
    "events: hostile text": records.hostile_but_allowed,
}
_PATIENCE: Final = 3600.0


def one(kind: str, marks: Marks, seed: int, number: int) -> Bad:
    """The record of that number."""
    return KINDS[kind](Random(f"{seed} {kind} {number}"), marks.of_input(number))


async def pour(
    stack: Stack, kind: str, marks: Marks, seed: int, inputs: int, tell: Callable[[int], None]
) -> tuple[Found, Counter[tuple[str, str]] | None]:
    """Send the records of a kind; what became of them, and how many rows that has to have made."""
    found = Found(kind)
    wanted: Counter[str] = Counter()
    before = await _outcomes(stack)
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.bootstrap, linger_ms=5, max_batch_size=200_000, max_request_size=4_000_000
    )
    await producer.start()
    try:
        for number in range(inputs):
            bad = one(kind, marks, seed, number)
            wanted.update(bad.parked_by)
            await producer.send(bad.topic, key=bad.key, value=bad.value, headers=list(bad.headers))
            if kind != "events: hostile text":
                found.refused.add(number)
            found.sent += 1
            if number % 500 == 499:
                tell(500)
        await producer.flush()
        last = await _last(producer)
    finally:
        await producer.stop()
    await _until_seen(stack, last)
    held = {service: await _held(stack, service) for service in SERVICES}
    after = await _outcomes(stack)
    outcomes = after - before
    found.skipped = int(outcomes["skipped"])
    found.parked = sum(many["unreadable"] + many["failed"] for many in held.values())
    found.taken = int(outcomes["applied"]) + sum(many["awaiting"] + many["behind"] for many in held.values())
    if kind == "events: hostile text":
        return found, None
    expected: Counter[tuple[str, str]] = Counter()
    for service in SERVICES:
        if held[service]["unreadable"] != wanted[service] or held[service].total() != wanted[service]:
            found.faults.append(f"{service} holds {dict(held[service])}, not {wanted[service]} unreadable")
        for table in ("held", "outbox_log", "outbox_key"):
            expected[service, table] = wanted[service]
    return found, expected


async def clear(stack: Stack) -> None:
    """Forget what is held, once the relays have told of it."""
    async with asyncio.timeout(_PATIENCE):
        for service in SERVICES:
            while (await rows(stack, service, "SELECT count(*) FROM outbox_pending"))[0][0]:  # noqa: ASYNC110  # the relay is another process
                await asyncio.sleep(0.2)
            await rows(stack, service, "TRUNCATE held")


Sentinel = tuple[str, str, int, int]
"""Service, topic, partition, offset."""


async def _last(producer: AIOKafkaProducer) -> set[Sentinel]:
    """A record on every partition that each of its readers has to park: when it has, it has seen all before it."""
    found: set[Sentinel] = set()
    for service in SERVICES:
        by_topic = {event.topic: event for event in subscribed(service)}
        for topic, event in by_topic.items():
            headers = Envelope(
                uuid4(), "/stranger", event.type(), datetime.now(UTC), "", "", records.FORCE, 1
            ).headers()
            for partition in range(PARTITIONS):
                sent = await producer.send_and_wait(
                    topic, key=uuid4().bytes, value=b"{the last", headers=headers, partition=partition
                )
                found |= {(reader, topic, partition, sent.offset) for reader in SERVICES if event in subscribed(reader)}
    return found


async def _until_seen(stack: Stack, last: set[Sentinel]) -> None:
    async with asyncio.timeout(_PATIENCE):
        for service in SERVICES:
            mine = {one[1:] for one in last if one[0] == service}
            while mine:
                # By itself: a look takes longer the more is held.
                held = await rows(
                    stack, service,
                    "DELETE FROM held WHERE value = $1 AND why = 'unreadable' RETURNING topic, partition, \"offset\"",
                    b"{the last",
                )  # fmt: skip
                mine -= {(row["topic"], row["partition"], row["offset"]) for row in held}
                if mine:
                    await asyncio.sleep(0.3)
            await rows(stack, service, _FORGET_LAST, b"{the last")


_FORGET_LAST: Final = """
WITH gone AS (DELETE FROM outbox_log WHERE data = $1 RETURNING topic, key, position),
     known AS (DELETE FROM outbox_key USING gone WHERE outbox_key.topic = gone.topic AND outbox_key.key = gone.key)
DELETE FROM outbox_pending USING gone WHERE outbox_pending.position = gone.position
"""


async def _held(stack: Stack, service: str) -> Counter[str]:
    return Counter(
        dict(tuple(row) for row in await rows(stack, service, "SELECT why, count(*) FROM held GROUP BY why"))
    )


async def _outcomes(stack: Stack) -> Counter[str]:
    """How many events were applied and skipped so far, everywhere."""
    found: Counter[str] = Counter()
    async with httpx.AsyncClient(timeout=60) as client:
        for service in SERVICES:
            for line in (await client.get(f"{stack.urls[service]}/metrics")).text.splitlines():
                for outcome in ("applied", "skipped"):
                    if line.startswith("walkandtalk_bus_events_total") and f'outcome="{outcome}"' in line:
                        found[outcome] += int(float(line.rsplit(" ", 1)[1]))
    return found
