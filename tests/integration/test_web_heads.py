"""How much a message may bring beside its body, seen from a socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
import uvicorn

from shared.embedded.processes import free_port
from shared.web.http import LARGEST_HEAD, Bounded

HEAD = b"POST / HTTP/1.1\r\nhost: localhost\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body and says how long it was."""
    length, more = 0, scope["type"] == "http"
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    if scope["type"] == "http":
        answer = str(length).encode()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]}
        )
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that reads as services do."""
    chosen = free_port()
    config = uvicorn.Config(app, port=chosen, http=Bounded, loop="uvloop", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    deadline = monotonic() + 20
    while not server.started:
        assert monotonic() < deadline
        sleep(0.02)  # a server in a thread offers nothing to wait on but its flag
    yield chosen
    server.should_exit = True
    thread.join(20)


def answers(port: int, sent: bytes) -> bytes:
    """All that comes back until the server has closed or the last request asked it to."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        came = b""
        try:
            connection.sendall(sent)
            while part := connection.recv(65_536):
                came += part
        except (ConnectionResetError, BrokenPipeError):
            # What was not read any more: the answer was, or was not, quick enough to arrive.
            pass
        return came


def test_large_head_is_read(port: int) -> None:
    """Cookies of some sixty kilobytes are nobody's habit, and are read."""
    sent = HEAD + b"cookie: " + b"a" * 60_000 + b"\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi"
    assert answers(port, sent).endswith(b"\r\n\r\n2")


@pytest.mark.parametrize(
    "endless",
    [
        HEAD + b"cookie: " + b"a" * 40 * LARGEST_HEAD,
        HEAD + b"a: b\r\n" * 10 * LARGEST_HEAD,
        b"GET /" + b"a" * 40 * LARGEST_HEAD,
        HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 10 * LARGEST_HEAD,
        HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\na: " + b"a" * 40 * LARGEST_HEAD,
    ],
    ids=["one header", "many headers", "address", "many trailers", "one trailer"],
)
def test_head_without_end_is_cut_off(port: int, endless: bytes) -> None:
    """The server closes the connection itself: nobody can fill its memory ahead of the limit of bodies."""
    assert answers(port, endless)[:12] in (b"HTTP/1.1 400", b"")


def test_bodies_are_no_part_of_the_head(port: int) -> None:
    """Large bodies, whole, in small chunks and one after another on a connection, are all read."""
    body = b"b" * 300_000
    whole = HEAD + b"content-length: 300000\r\n\r\n" + body
    chunks = HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"4\r\nbbbb\r\n" * 75_000 + b"0\r\n\r\n"
    last = HEAD + b"content-length: 300000\r\nconnection: close\r\n\r\n" + body
    assert answers(port, whole + chunks + last).count(b"\r\n\r\n300000") == 3
