"""A client that costs little: one keep-alive connection, bytes made beforehand, answers read by their length."""

from __future__ import annotations

import asyncio
from typing import Any, Final, NamedTuple, cast

from pydantic_core import from_json, to_json

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class Broken(Exception):
    """The other side closed the connection, or sent what this client does not read."""


class Answer(NamedTuple):
    """Status, headers as bytes, body."""

    status: int
    head: bytes
    body: bytes

    def json(self) -> Any:
        """The body, read."""
        return from_json(self.body)

    def cookies(self) -> dict[str, str]:
        """Cookies this answer sets, without their attributes."""
        found = {}
        for line in self.head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"set-cookie":
                cookie, _, text = value.partition(b";")[0].strip().decode().partition("=")
                found[cookie] = text
        return found


class Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._came = bytearray()
        self._asked: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to 127.0.0.1."""
        _, protocol = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    @property
    def closed(self) -> bool:
        """Whether it was not opened, or ended."""
        return self._transport is None or self._transport.is_closing()

    def ask(self, raw: bytes) -> asyncio.Future[Answer]:
        """Send a whole request; what comes back.

        :raises Broken: the connection ended first.
        """
        if self._transport is None or self._transport.is_closing():
            raise Broken
        self._asked = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        return self._asked

    def data_received(self, data: bytes) -> None:
        self._came += data
        end = self._came.find(_END)
        if end < 0:
            return
        head = bytes(self._came[:end])
        lower = head.lower()
        at = lower.find(_LENGTH)
        if at < 0:
            self.connection_lost(None)
            return
        length = int(lower[at + len(_LENGTH) :].split(b"\r", 1)[0])
        whole = end + len(_END) + length
        if len(self._came) >= whole and self._asked is not None:
            answer = Answer(int(head[9:12]), head, bytes(self._came[end + len(_END) : whole]))
            del self._came[:whole]
            asked, self._asked = self._asked, None
            if not asked.done():
                asked.set_result(answer)

    def connection_lost(self, fault: Exception | None) -> None:
        self.close()
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(Broken())

    def close(self) -> None:
        """Let go."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def request(
    method: str, path: str, *, body: bytes = b"", kind: str = "application/json", headers: dict[str, str] | None = None
) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if method != "GET":
        lines += [f"content-type: {kind}", f"content-length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + body


def post_json(path: str, content: Any, headers: dict[str, str] | None = None) -> bytes:
    """A JSON call as it goes over the wire."""
    return request("POST", path, body=to_json(content), headers=headers)
