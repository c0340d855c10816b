"""Everything a running stack has written down anywhere: databases, topics, logs, metrics, messages. For searches."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote, quote_plus

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts.catalogue import SERVICES
from shared.embedded.broker import PARTITIONS
from shared.embedded.stack import Stack
from shared.embedded.topics import embedded_topics

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")


def forms_of(text: str) -> list[bytes]:
    """The ways a text may be written down: as it is, lower and upper case, in URLs, JSON, UTF-16, hex, base64."""
    plain = text.encode()
    found = {
        plain,
        text.lower().encode(),
        text.upper().encode(),
        quote(text).encode(),
        quote_plus(text).encode(),
        text.encode("unicode_escape"),
        text.encode("utf-16-le"),
        plain.hex().encode(),
        "".join(text.split()).encode(),
    }
    for start in range(3):
        # Base64 of a text inside other text begins at one of three offsets.
        inner = base64.b64encode(b"\0" * start + plain)[4 if start else 0 : -4]
        if len(inner) >= 8:
            found.add(inner)
    return [one for one in found if len(one) >= 6]


async def everything(stack: Stack) -> AsyncIterator[tuple[str, bytes]]:
    """Places and what stands there; the mailbox last."""
    for service in SERVICES:
        async for place, content in _database(stack, service):
            yield place, content
    async for place, content in _topics(stack):
        yield place, content
    for file in stack.log_files:
        yield f"log {file.name}", file.read_bytes()
    async with httpx.AsyncClient(timeout=20) as client:
        for service in SERVICES:
            yield f"metrics {service}", (await client.get(f"{stack.urls[service]}/metrics")).content


async def mailbox(stack: Stack) -> AsyncIterator[tuple[str, bytes]]:
    """Every message that was sent."""
    async with httpx.AsyncClient(base_url=stack.urls["mailbox"], timeout=20) as client:
        for message in (await client.get("/api/messages")).json():
            yield f"mail {message['id']}", (await client.get(f"/api/messages/{message['id']}")).content


async def rows(stack: Stack, service: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
    """What stands in a service's database, seen by the server's administrator."""
    connection = await asyncpg.connect(stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{service}")
    try:
        return list(await connection.fetch(sql, *arguments))
    finally:
        await connection.close()


async def _database(stack: Stack, service: str) -> AsyncIterator[tuple[str, bytes]]:
    url = stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{service}"
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT schemaname || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for (table,) in tables:
            for row in await connection.fetch(f"SELECT * FROM {table}"):  # noqa: S608  # names from the catalogue
                for column, value in row.items():
                    content = value if isinstance(value, bytes) else str(value).encode()
                    for one in _unfolded(content):
                        yield f"{service} {table}.{column}", one
    finally:
        await connection.close()


async def _topics(stack: Stack) -> AsyncIterator[tuple[str, bytes]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap, group_id=None)
    await consumer.start()
    try:
        places = [TopicPartition(topic, n) for topic in embedded_topics() for n in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        left = {place for place in places if ends[place]}
        while left:
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    for content in (record.key, record.value, *(value for _, value in record.headers)):
                        for one in _unfolded(content or b""):
                            yield f"topic {record.topic}", one
                    if record.offset + 1 >= ends[place]:
                        left.discard(place)
    finally:
        await consumer.stop()


def _unfolded(content: bytes) -> Iterator[bytes]:
    """The content, and what stands in it as base64."""
    yield content
    for found in _BASE64.findall(content[:200_000]):
        try:
            yield base64.urlsafe_b64decode(found.rstrip(b"=") + b"=" * (-len(found.rstrip(b"=")) % 4))
        except (ValueError, binascii.Error):
            continue
