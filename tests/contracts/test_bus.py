"""What the bus promises, on every broker it runs on: the embedded one and Apache Kafka."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka.errors import UnknownError
from faststream.kafka import KafkaBroker

from shared.bus.broker import _consumers
from shared.contracts.envelope import Envelope
from shared.embedded.broker import EmbeddedBroker
from shared.embedded.processes import free_port
from tests.servers.bus_rig import (
    FORCE,
    PARKED,
    Member,
    Rig,
    apache_server,
    create_topics,
    embedded_server,
    make_rig,
    new_prefix,
    some_keys,
    topics_of,
)
from tests.servers.databases import ServiceDatabaseMaker


@pytest.fixture(params=["embedded", "apache"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path, database: ServiceDatabaseMaker) -> AsyncIterator[Rig]:
    prefix = new_prefix()
    stop = None
    if request.param == "embedded":
        broker = EmbeddedBroker(free_port(), tmp_path / "broker", topics_of(prefix))
        broker.start()
        server, stop = embedded_server(broker), broker.stop
    else:
        kafka = request.getfixturevalue("apache_kafka")
        await create_topics(kafka, topics_of(prefix))
        server = apache_server(kafka)
    try:
        yield await make_rig(server, await database("partners"), prefix)
    finally:
        if stop is not None:
            stop()


def _headers(type_: str, key: UUID, sequence: int = 1, id_: UUID | None = None) -> list[tuple[str, bytes]]:
    return Envelope(
        id_ or uuid4(), "/stranger", type_, datetime.now(UTC), str(key), "urn:none", FORCE, sequence
    ).headers()


async def test_events_take_effect_once_and_in_the_order_of_their_key(rig: Rig) -> None:
    """Two thousand events of fifty keys and two types take effect once each, in the order they were appended."""
    keys = some_keys(50)
    events = [(rig.Tallied if n % 3 else rig.Counted)(on=keys[n % 50], number=n // 50) for n in range(2000)]
    async with rig.member().running():
        for start in range(0, 2000, 137):
            await rig.append(events[start : start + 137])
        found = await rig.until_effects(2000)
    assert found == {key: list(range(40)) for key in keys}


async def _ends(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def _fails() -> None:
    raise UnknownError("a broker's answer nobody foresaw")


async def _reading_ends(consumer: Any) -> None:
    await _ends(consumer._fetcher.error_future)


async def _finding_brokers_ends(consumer: Any) -> None:
    await _ends(consumer._client._sync_task)


async def _heartbeat_fails(consumer: Any) -> None:
    await consumer._coordinator._stop_heartbeat_task()
    consumer._coordinator._heartbeat_task = asyncio.create_task(_fails())
    await asyncio.wait([consumer._coordinator._heartbeat_task])


async def _offsets_fail(consumer: Any) -> None:
    await consumer._coordinator._stop_commit_offsets_refresh_task()
    consumer._coordinator._commit_refresh_task = asyncio.create_task(_fails())
    await asyncio.wait([consumer._coordinator._commit_refresh_task])


@pytest.mark.parametrize("dies", [_reading_ends, _finding_brokers_ends, _heartbeat_fails, _offsets_fail])
async def test_a_consumer_that_dies_by_itself_is_made_anew(rig: Rig, dies: Callable[[Any], Awaitable[None]]) -> None:
    """Where a task inside the client ends, as it can when a connection does, the member reads on within seconds."""
    async with rig.member().running() as member:
        [key] = some_keys(1)
        await rig.append([rig.Counted(on=key, number=0)])
        assert await rig.until_effects(1) == {key: [0]}
        assert member.bus.ready
        [consumer] = _consumers(cast(KafkaBroker, member.bus._broker))
        await dies(consumer)
        assert not member.bus.ready
        await rig.append([rig.Counted(on=key, number=1)])
        assert await rig.until_effects(2) == {key: [0, 1]}


async def test_a_cluster_is_given_as_several_addresses(rig: Rig) -> None:
    """Relay and consumer take a list of brokers, one of which is away, and find the cluster by the other."""
    bootstrap = f"{rig.server.bootstrap},127.0.0.1:{free_port()}"
    rig.server = replace(rig.server, bootstrap=bootstrap)
    async with rig.member().running():
        [key] = some_keys(1)
        await rig.append([rig.Counted(on=key, number=0)])
        assert await rig.until_effects(1) == {key: [0]}


async def test_sequences_on_the_bus_are_gapless_and_headers_are_cloudevents(rig: Rig) -> None:
    """Each key's records carry ce_sequence 1, 2, 3 … and the required CloudEvents headers; the value is the data."""
    keys = some_keys(5)
    async with rig.member().running(consume=False) as member:
        await asyncio.gather(*(rig.append([rig.Counted(on=key, number=n) for key in keys]) for n in range(20)))
        await rig.eventually(lambda: _published(member, 100))
    by_key: dict[bytes, list[int]] = {}
    for record in sorted(await rig.records(rig.Counted.topic), key=lambda r: (r.partition, r.offset)):
        headers = dict(record.headers)
        assert {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_forceid"} <= set(headers)
        assert headers["ce_type"] == b"uk.police.walkandtalk.counted.v1"
        assert headers["content-type"] == b"application/json"
        assert json.loads(record.value)["on"] == record.key.decode() == headers["ce_subject"].decode()
        by_key.setdefault(record.key, []).append(int(headers["ce_sequence"]))
    assert by_key == {str(key).encode(): list(range(1, 21)) for key in keys}


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=3650)], ids=str)
async def test_events_of_a_clock_far_ahead_hold_nothing_up(rig: Rig, ahead: timedelta) -> None:
    """A service whose clock is wrong has its events on the bus at once, as it told their time; the record's own time,
    by which brokers take and keep it, is none to come."""
    [key] = some_keys(1)
    told = datetime.now(UTC) + ahead
    async with rig.member().running():
        await rig.append([rig.Counted(on=key, number=0)], at=told)
        await rig.append([rig.Counted(on=key, number=1)])
        assert await rig.until_effects(2) == {key: [0, 1]}
    first, _ = sorted(await rig.records(rig.Counted.topic), key=lambda r: r.offset)
    assert datetime.fromisoformat(dict(first.headers)["ce_time"].decode()) == told
    assert first.timestamp <= datetime.now(UTC).timestamp() * 1000


async def _published(member: Member, many: int) -> bool:
    return member.value("walkandtalk_relay_published_total") >= many


async def test_a_record_seen_before_does_nothing(rig: Rig) -> None:
    """The whole log published again has no effect."""
    keys = some_keys(10)
    async with rig.member().running() as member:
        await rig.append([rig.Counted(on=key, number=n) for n in range(5) for key in keys])
        before = await rig.until_effects(50)
        connection = await asyncpg.connect(rig.database.admin_url)
        await connection.execute("INSERT INTO outbox_pending SELECT force_id, position FROM outbox_log")
        await connection.execute("SELECT pg_notify('outbox', '')")
        await connection.close()
        await rig.eventually(lambda: _duplicates(member, 50))
    assert await rig.effects() == before


async def _duplicates(member: Member, many: int) -> bool:
    return member.value("walkandtalk_bus_events_total", event="counted", outcome="duplicate") >= many


UNREADABLE = {
    b"{not json": "json_invalid",
    b'{"on": "5f0c0f4e-9f60-4f4b-8f0e-000000000000"}': "number: missing",
    b"": "json_invalid",
    b"\xff\xfe\x00": "json_invalid",
}


async def test_what_cannot_be_read_is_parked_with_its_reason_and_the_stream_goes_on(rig: Rig) -> None:
    """Records that break their schema stand in the table and on the parked topic with their original bytes."""
    other = uuid4()
    async with rig.member().running():
        for value in UNREADABLE:
            key = uuid4()
            await rig.produce(rig.Counted.topic, str(key).encode(), value, _headers(rig.Counted.type(), key))
        await rig.append([rig.Counted(on=other, number=1)])
        assert await rig.until_effects(1) == {other: [1]}
        await rig.eventually(lambda: _held(rig, len(UNREADABLE)))
        held = {bytes(row["value"]): row for row in await rig.held()}
        assert held.keys() == UNREADABLE.keys()
        for value, reason in UNREADABLE.items():
            assert held[value]["why"] == "unreadable"
            assert reason in held[value]["reason"]
            await rig.eventually(lambda: _on_topic(rig, PARKED, value))  # noqa: B023  # awaited here
    mine = [r for r in await rig.records(PARKED) if dict(r.headers)["parked_topic"] == rig.Counted.topic.encode()]
    assert sorted(record.value for record in mine) == sorted(UNREADABLE)
    for record in mine:
        headers = dict(record.headers)
        assert headers["content-type"] == b"application/octet-stream"
        assert headers["ce_type"] == rig.Counted.type().encode()


async def _held(rig: Rig, many: int) -> bool:
    return len(await rig.held()) >= many


async def _on_topic(rig: Rig, topic: str, value: bytes) -> bool:
    return any(record.value == value for record in await rig.records(topic))


async def test_headers_that_cannot_be_read_are_parked_too(rig: Rig) -> None:
    """No headers, headers that are no text, a force nobody serves, another key than the aggregate's: all are parked."""
    key, other = some_keys(2)
    good = _headers(rig.Counted.type(), key)
    value = json.dumps({"on": str(key), "number": 1}).encode()
    strange = [
        (None, []),
        (None, [(name, b"\xff\xfe") for name, _ in good]),
        (None, [(name, b"nowhere" if name == "ce_forceid" else v) for name, v in good]),
        (str(other).encode(), good),
    ]
    async with rig.member().running():
        for of, headers in strange:
            await rig.produce(rig.Counted.topic, of, value, headers)
        await rig.eventually(lambda: _held(rig, 4))
        last = uuid4()
        await rig.append([rig.Counted(on=last, number=1)])
        assert await rig.until_effects(1) == {last: [1]}
    assert {row["why"] for row in await rig.held()} == {"unreadable"}


async def test_what_follows_unreadable_headers_waits_behind_them(rig: Rig) -> None:
    """Nobody can say of which force such a record is; later, sound ones of its key are held behind it all the same."""
    key, free = some_keys(2)
    good = _headers(rig.Counted.type(), key)
    value = json.dumps({"on": str(key), "number": 1}).encode()
    async with rig.member().running():
        bent = [(name, b"yesterday" if name == "ce_time" else found) for name, found in good]
        await rig.produce(rig.Counted.topic, str(key).encode(), value, bent)
        await rig.eventually(lambda: _held(rig, 1))
        await rig.produce(rig.Counted.topic, str(key).encode(), value, _headers(rig.Counted.type(), key, 2))
        await rig.eventually(lambda: _held(rig, 2))
        await rig.append([rig.Counted(on=free, number=1)])
        assert await rig.until_effects(1) == {free: [1]}
    assert [row["why"] for row in await rig.held()] == ["unreadable", "behind"]


async def test_an_unknown_type_is_skipped_and_counted(rig: Rig) -> None:
    """A type nobody here knows is neither parked nor in the way."""
    key = uuid4()
    async with rig.member().running() as member:
        await rig.append([rig.Unheard(on=key, number=1), rig.Counted(on=key, number=2)])
        assert await rig.until_effects(1) == {key: [2]}
        assert member.value("walkandtalk_bus_events_total", event="unknown", outcome="skipped") == 1
    assert await rig.held() == []


async def test_an_event_waits_for_its_parent_and_keeps_its_order(rig: Rig) -> None:
    """Children that come before their parent take effect after it, in order, and nothing of them is parked."""
    parents = some_keys(20)
    async with rig.member().running():
        await rig.append([rig.Child(on=parent, number=n) for n in range(3) for parent in parents])
        await rig.eventually(lambda: _held(rig, 60))
        assert {row["why"] for row in await rig.held()} == {"awaiting"}
        await rig.append([rig.Parent(on=parent, number=100) for parent in parents])
        await rig.append([rig.Child(on=parent, number=3) for parent in parents])
        found = await rig.until_effects(100)
    assert found == {parent: [100, 0, 1, 2, 3] for parent in parents}
    assert await rig.held() == []


async def test_what_fails_on_data_is_parked_alone_and_its_key_waits_behind_it(rig: Rig) -> None:
    """One bad record of a batch is parked; later ones of its key are held behind it, all other keys go on; after the
    fault is mended a retry applies them in order."""
    keys = some_keys(20)
    rig.fails_on = {3}
    bad = keys[7]
    events = [rig.Counted(on=key, number=n if key == bad else n + 10) for n in range(1, 6) for key in keys]
    async with rig.member().running():
        await rig.append(events)
        found = await rig.until_effects(5 * 19 + 2)
        assert found[bad] == [1, 2]
        assert all(found[key] == [11, 12, 13, 14, 15] for key in keys if key != bad)
        await rig.eventually(lambda: _held(rig, 3))
        held = await rig.held()
        assert [row["why"] for row in held] == ["failed", "behind", "behind"]
        rig.fails_on = set()
        connection = await asyncpg.connect(rig.database.admin_url)
        await connection.execute("UPDATE held SET try_at = now() WHERE why = 'failed'")
        await connection.close()
        found = await rig.until_effects(100)
        assert found[bad] == [1, 2, 3, 4, 5]
    assert await rig.held() == []


async def test_what_was_unreadable_heals_when_it_can_be_read(rig: Rig) -> None:
    """A record parked for its schema, and the one held behind it, take effect after the reader was mended and a person
    asked for it."""
    key = uuid4()
    headers = _headers(rig.Counted.type(), key)
    async with rig.member().running():
        await rig.produce(rig.Counted.topic, str(key).encode(), json.dumps({"on": str(key)}).encode(), headers)
        await rig.eventually(lambda: _held(rig, 1))
        await rig.append([rig.Counted(on=key, number=2)])
        await rig.eventually(lambda: _held(rig, 2))
        assert [row["why"] for row in await rig.held()] == ["unreadable", "behind"]
    rig.Counted.model_fields["number"].default = 1
    rig.Counted.model_rebuild(force=True)
    async with rig.member().running():
        connection = await asyncpg.connect(rig.database.admin_url)
        await connection.execute("UPDATE held SET try_at = now() WHERE why = 'unreadable'")
        await connection.close()
        assert await rig.until_effects(2) == {key: [1, 2]}
    assert await rig.held() == []


async def test_a_discarded_record_lets_its_key_go_on(rig: Rig) -> None:
    """When a person gives a parked record up, what was held behind it takes effect."""
    key = uuid4()
    rig.fails_on = {1}
    async with rig.member().running():
        await rig.append([rig.Counted(on=key, number=n) for n in range(4)])
        await rig.eventually(lambda: _held(rig, 3))
        connection = await asyncpg.connect(rig.database.admin_url)
        await connection.execute("DELETE FROM held WHERE why = 'failed'")
        await connection.close()
        assert await rig.until_effects(3) == {key: [0, 2, 3]}


async def test_a_database_that_goes_away_parks_nothing(rig: Rig) -> None:
    """Connections cut in the middle of batches: all is tried again, nothing is parked, lost, doubled or reordered."""
    keys = some_keys(40)
    async with rig.member().running():
        for n in range(30):
            await rig.append([rig.Counted(on=key, number=n) for key in keys])
            if n % 3 == 0:
                await _cut_connections(rig)
        found = await rig.until_effects(1200)
    assert found == {key: list(range(30)) for key in keys}
    assert await rig.held() == []


async def _cut_connections(rig: Rig) -> None:
    connection = await asyncpg.connect(rig.database.admin_url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND usename LIKE '%_bus'"
    )
    await connection.close()


async def test_one_relay_leads_and_another_takes_over(rig: Rig) -> None:
    """Of two relays one publishes; when it stops the other goes on where it was."""
    keys = some_keys(10)
    first, second = rig.member(), rig.member()
    async with second.running(consume=True, relay=False):
        async with first.running(consume=False):
            await rig.eventually(lambda: _leads(first))
            async with second.running(consume=False):
                await rig.append([rig.Counted(on=key, number=0) for key in keys])
                await rig.until_effects(10)
                assert not await _leads(second)
        async with second.running(consume=False):
            await rig.append([rig.Counted(on=key, number=1) for key in keys])
            found = await rig.until_effects(20)
    assert found == {key: [0, 1] for key in keys}


async def _leads(member: Member) -> bool:
    return bool(member.value("walkandtalk_relay_leading"))


async def test_members_come_and_go_without_loss_doubling_or_disorder(rig: Rig) -> None:
    """A second consumer joins and leaves while events flow."""
    keys = some_keys(30)
    one, two = rig.member(), rig.member()
    async with one.running():
        await rig.append([rig.Counted(on=key, number=0) for key in keys])
        await rig.until_effects(30)

        async def flow() -> None:
            for n in range(1, 40):
                await rig.append([rig.Counted(on=key, number=n) for key in keys])
                await asyncio.sleep(0.1)

        flowing = asyncio.create_task(flow())
        async with two.running(relay=False):
            await rig.until_effects(300)
        await flowing
        found = await rig.until_effects(1200)
    assert found == {key: list(range(40)) for key in keys}


async def test_a_killed_broker_loses_doubles_and_reorders_nothing(rig: Rig) -> None:
    """The broker is killed twice under load and started again, empty where it has no disk; all takes effect once."""
    keys = some_keys(25)
    async with rig.member().running():
        await rig.append([rig.Counted(on=key, number=0) for key in keys])
        await rig.until_effects(25)

        async def flow() -> None:
            for n in range(1, 60):
                await rig.append([rig.Counted(on=key, number=n) for key in keys])
                await asyncio.sleep(0.05)

        flowing = asyncio.create_task(flow())
        for _ in range(2):
            await asyncio.sleep(0.7)
            await asyncio.to_thread(rig.server.kill)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(rig.server.start)
        await flowing
        found = await rig.until_effects(1500, seconds=90)
    assert found == {key: list(range(60)) for key in keys}
    assert await rig.held() == []


async def test_requests_are_accepted_while_the_broker_is_away(rig: Rig) -> None:
    """Appending needs the database alone; what was appended arrives when the broker is back, and before it ever was."""
    key = uuid4()
    await asyncio.to_thread(rig.server.kill)
    async with rig.member().running():
        await rig.append([rig.Counted(on=key, number=n) for n in range(10)])
        assert await rig.effects() == {}
        await asyncio.to_thread(rig.server.start)
        found = await rig.until_effects(10, seconds=90)
    assert found == {key: list(range(10))}


async def test_commit_to_handler_takes_milliseconds_not_a_polling_interval(rig: Rig) -> None:
    """An event appended while all is quiet takes effect well before the slow poll (1 s) would have found it."""
    async with rig.member().running():
        await rig.append([rig.Counted(on=uuid4(), number=0)])
        await rig.until_effects(1)
        waits = []
        for n in range(1, 8):
            began = asyncio.get_running_loop().time()
            await rig.append([rig.Counted(on=uuid4(), number=n)])
            await rig.until_effects(n + 1)
            waits.append(asyncio.get_running_loop().time() - began)
    assert sorted(waits)[len(waits) // 2] < 0.5, waits
