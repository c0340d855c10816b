"""Connections that are too large, too slow or no HTTP at all: refused or closed in time, while others are served."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import psutil
import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from shared.contracts.catalogue import SERVICES
from shared.embedded.stack import Stack
from shared.web.edge import MEGABYTE, Edge, TooSlow
from shared.web.http import HEAD_SECONDS, LARGEST_HEAD

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
pytestmark = pytest.mark.timeout(120)
JSON = "Content-Type: application/json\r\n"
POST = b"POST /api/v1/walk-requests HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: misuse-of-connections\r\n"
CALL = POST + JSON.encode()


@asynccontextmanager
async def connection(
    stack: Stack, service: str = "intake"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", getattr(stack.ports, service))
    try:
        yield reader, writer
    finally:
        writer.close()


async def answered(stack: Stack, sent: bytes, service: str = "intake") -> bytes:
    """All that comes back until the service closes or says no more for half a second."""
    async with connection(stack, service) as (reader, writer):
        found = b""
        try:
            writer.write(sent)
            while part := await asyncio.wait_for(reader.read(65_536), 20 if not found else 0.5):
                found += part
        except (TimeoutError, ConnectionError):
            pass
        return found


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    ("what", "sent", "right"),
    [
        ("no request line", b"zq\r\n\r\n", {400}),
        ("another protocol", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400}),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
        ("a header without its end", b"GET / HTTP/1.1\r\nX-" + b"a" * (2 * LARGEST_HEAD), {400, 408}),
        ("a long header", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (2 * LARGEST_HEAD) + b"\r\n\r\n", {400}),
        ("many headers", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Y: aaaaaaaaaaaa\r\n" * 5000 + b"\r\n", {400}),
        ("two lengths", POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", {400}),
        ("a length below nothing", POST + b"Content-Length: -1\r\n\r\n", {400}),
        ("length and chunks", POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
        ("chunks of no size", CALL + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", {400}),
        ("a declared gigabyte", CALL + b"Content-Length: 1000000000\r\n\r\n{", {413}),
        ("a method that is none here", b"DELETE /api/v1/walk-requests HTTP/1.1\r\nHost: localhost\r\n\r\n", {405}),
        ("a method nobody knows", b"ZQZQ / HTTP/1.1\r\nHost: x\r\n\r\n", {400, 405}),
        ("XML", POST + b"Content-Type: text/xml\r\n" + b"Content-Length: 4\r\n\r\n<x/>", {403, 415, 422}),
        ("another encoding", CALL + b"Content-Length: 6\r\n\r\n\xff\xfe{\x00}\x00", {400, 422}),
        ("compressed", CALL + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", {400, 422}),
        ("deep JSON", CALL + b"Content-Length: 90000\r\n\r\n" + b'[{"a":' * 15_000, {400, 422}),
        ("a number of many digits", CALL + b"Content-Length: 90000\r\n\r\n" + b"9" * 90_000, {400, 422}),
        (
            "many fields",
            b"POST /avon-and-somerset/request/eligibility HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 80000\r\n\r\n" + b"adult=y&" * 10_000,
            {400, 403},
        ),
        (
            "many parts",
            b"POST /avon-and-somerset/request/eligibility HTTP/1.1\r\nHost: localhost\r\nContent-Length: 480006\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            + b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 10_000 + b"--b--\r",
            {400, 403},
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_served_is_refused(stack: Stack, what: str, sent: bytes, right: set[int]) -> None:
    """A clear refusal of the client's own making, and the connection is given up where no more can be read from it."""
    # An answer to what is much too large may be lost, because the service closes without having read it all.
    found = set(statuses(await answered(stack, sent))) or {400 if len(sent) > LARGEST_HEAD else 0}
    assert found <= right, (what, found)


async def test_old_and_joined_requests_are_served(stack: Stack) -> None:
    """HTTP/1.0 is answered and closed; of requests sent together each is answered, up to what is none."""
    old = await answered(stack, b"GET /health/live HTTP/1.0\r\n\r\n")
    assert b" 200 " in old.partition(b"\r\n")[0]
    live = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    joined = await answered(stack, live * 3 + b"\x00garbage\r\n\r\n" + live)
    *served, last = statuses(joined)
    assert last == 400 and set(served) <= {200}


async def test_a_body_without_end_is_refused_and_not_kept(stack: Stack) -> None:
    """Twenty endless bodies at each service: 413 once a megabyte has come, the rest is not read, memory stays small,
    and others are answered meanwhile."""
    before = {name: psutil.Process(stack.pid(name)).memory_info().rss for name in SERVICES}
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"

    async def endless(service: str) -> int:
        head = f"POST {PATHS[service]} HTTP/1.1\r\nHost: localhost\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n".encode()
        async with connection(stack, service) as (reader, writer):
            sent = 0
            writer.write(head)
            try:
                while sent < 200 * MEGABYTE:
                    writer.write(chunk)
                    sent += len(chunk)
                    await writer.drain()
                    if reader._buffer:  # type: ignore[attr-defined]  # nothing public tells whether something came
                        break
                answer = await asyncio.wait_for(reader.readline(), 20)
            except ConnectionError:
                # Closed with much of it unread, so the answer itself may be lost.
                return sent
            # 413, or an answer for which the body was not even looked at.
            assert int(answer[9:12]) in (413, 303, 401, 403), answer
            return sent

    async with httpx.AsyncClient(timeout=30) as client:
        running = [asyncio.create_task(endless(service)) for service in SERVICES for _ in range(20)]
        for service in SERVICES:
            assert (await client.get(f"{stack.urls[service]}/health/ready")).status_code == 200
        sent = await asyncio.gather(*running)
    assert max(sent) < 30 * MEGABYTE
    grown = {name: psutil.Process(stack.pid(name)).memory_info().rss - before[name] for name in SERVICES}
    assert max(grown.values()) < 60 * MEGABYTE, grown


PATHS = {
    "intake": "/api/v1/walk-requests",
    "assignment": "/signout",
    "partners": "/signout",
    "feedback": "/api/v1/answers",
}


async def test_heads_that_never_end_are_given_up_while_others_are_served(stack: Stack) -> None:
    """Two hundred connections that say nothing, or a byte now and then, are closed within HEAD_SECONDS and a little;
    people are answered all the while."""
    began = time.monotonic()

    async def slow(drops: bool) -> float:
        async with connection(stack) as (reader, writer):
            head = iter(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 100)
            while not reader.at_eof():
                if drops:
                    writer.write(bytes([next(head)]))
                try:
                    await asyncio.wait_for(reader.read(1000), 1.0)
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
            return time.monotonic() - began

    async with httpx.AsyncClient(base_url=stack.urls["intake"], timeout=30) as client:
        waiting = [asyncio.create_task(slow(bool(n % 2))) for n in range(200)]
        served = 0
        while not all(task.done() for task in waiting):
            assert (await client.get("/avon-and-somerset/")).status_code == 200
            served += 1
            await asyncio.wait(waiting, timeout=0.5)
        lasted = [task.result() for task in waiting]
    assert served >= 5
    assert max(lasted) < HEAD_SECONDS + 10, max(lasted)


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """A body of which nothing more comes is given up after its time, with 408 and an end of the connection."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(await Request(scope, receive).body())(scope, receive, send)

    def broken(_: Request, error: Exception) -> Response:
        assert isinstance(error, TooSlow)
        return PlainTextResponse(error.detail, error.status_code, error.headers)

    edge = Edge(app, service="x", registry=CollectorRegistry(), headers=[], broken=broken, body_seconds=0.2)
    parts = iter([b"a", b"b"])

    async def receive() -> Message:
        part = next(parts, None)
        if part is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": part, "more_body": True}

    answer: list[Message] = []

    async def send(message: Message) -> None:
        answer.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [(b"host", b"x")]}
    await asyncio.wait_for(edge(scope, receive, send), 10)
    assert answer[0]["status"] == 408
    assert (b"connection", b"close") in answer[0]["headers"]


async def test_u_0000_is_refused_by_the_name_of_its_field(stack: Stack) -> None:
    """No database of ours keeps U+0000: a call that holds one is refused before anything is done, naming the field."""
    async with httpx.AsyncClient(base_url=stack.urls["intake"], timeout=30) as client:
        body = json.dumps({"force_id": "avon-and-somerset", "contact": {"address": "1 Demo\0Street"}})
        answer = await client.post(
            "/api/v1/walk-requests",
            content=body,
            headers={"Content-Type": "application/json", "Idempotency-Key": "misuse-nul-0000"},
        )
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, ["address"])
        page = await client.get("/avon-and-somerset/request/eligibility")
        (token,) = set(re.findall(r'name="csrf_token" value="([^"]*)"', page.text))
        form = await client.post(page.url.path, data={"csrf_token": token, "adult": "y\0es"})
        assert (form.status_code, "adult" in form.text) == (422, True)
        assert (await client.get("/avon-and-somerset/%00/")).status_code in (400, 404)
