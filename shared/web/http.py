"""HTTP as uvicorn reads it with httptools, with a bound on heads and trailers: their size, and the time they may take.

The parser itself keeps headers of any number and length, and waits for them for ever. The edge limits bodies; it sees a
request only after its head.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 65_536
"""Bytes of request line, headers and trailers; browsers and proxies stay far below."""

HEAD_SECONDS = 10.0
"""From a connection's beginning, or a further request's first byte, to the end of its head."""
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Bounded(HttpToolsProtocol):
    """Answers 400 and closes where a message's head and trailers exceed LARGEST_HEAD, finished or not; 408 where a head
    is not there after HEAD_SECONDS."""

    _read = 0
    """Of this message: what the parser has handed over."""
    _kept = 0
    """What the parser keeps of a header that has not ended yet, at most."""
    _heard = False
    _head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._head_due is None:
            self._head_due = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _head_is_there(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _give_up(self) -> None:
        self._head_due = None
        # Between two answers of pipelined requests a third may be on its way; who waits for an answer is not cut off.
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(_TOO_SLOW)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._read, self._heard = 0, True
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_is_there()
        super().on_headers_complete()

    def on_url(self, url: bytes) -> None:
        self._read, self._heard = self._read + len(url), True
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._read, self._heard = self._read + len(name) + len(value), True
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._heard = True
        super().on_body(body)

    def data_received(self, data: bytes) -> None:
        self._heard = False
        super().data_received(data)
        self._kept = 0 if self._heard else self._kept + len(data)
        if self._read + self._kept > LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("Request head too large.")
