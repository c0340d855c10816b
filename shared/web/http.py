"""HTTP as uvicorn reads it with httptools, with a bound on heads and trailers.

The parser itself keeps headers of any number and length. The edge limits bodies; it sees a request only after its head.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 65_536
"""Bytes of request line, headers and trailers; browsers and proxies stay far below."""


class Bounded(HttpToolsProtocol):
    """Answers 400 and closes where a message's head and trailers exceed LARGEST_HEAD, finished or not."""

    _read = 0
    """Of this message: what the parser has handed over."""
    _kept = 0
    """What the parser keeps of a header that has not ended yet, at most."""
    _heard = False

    def on_message_begin(self) -> None:
        self._read, self._heard = 0, True
        super().on_message_begin()

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
