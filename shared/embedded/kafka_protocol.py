"""The few requests sent to a broker by hand, on a plain socket, without a client's background tasks.

A client (aiokafka) logs an error for every attempt on a broker that is still starting, and lets go of the
moment between a broker's first breath and its first topic, which `first_words` is about.
"""

from __future__ import annotations

import io
import socket
import struct
from collections.abc import Mapping
from typing import Any

from aiokafka.protocol.admin import CreateTopicsRequest_v0
from aiokafka.protocol.metadata import MetadataRequest_v1
from aiokafka.protocol.offset import OffsetRequest_v1

_CORRELATION = 7
_LATEST = -1
_ALREADY_EXISTS = 36


def answers(port: int, seconds: float = 1.0) -> bool:
    """Whether the broker at 127.0.0.1:port names at least one broker within so many seconds."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            _send(connection, MetadataRequest_v1([]))
            return bool(_receive(connection, MetadataRequest_v1).brokers)
    except (OSError, ValueError):
        return False


def first_words(port: int, topics: Mapping[str, int], seconds: float = 5.0) -> bool:
    """Create topics (name to number of partitions) on a broker just born; whether nobody got in before.

    Both requests go out on one connection before any answer is awaited, so a record accepted ahead of its
    topic shows as a log end above zero. Raises OSError while nobody listens, ValueError for an answer not understood.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        wanted: list[Any] = [(name, partitions, 1, [], []) for name, partitions in topics.items()]
        places = [(name, [(n, _LATEST) for n in range(partitions)]) for name, partitions in topics.items()]
        _send(connection, CreateTopicsRequest_v0(wanted, int(seconds * 1000)))
        _send(connection, OffsetRequest_v1(-1, places))
        created = _receive(connection, CreateTopicsRequest_v0)
        ends = _receive(connection, OffsetRequest_v1)
    refused = {name: error for name, error in created.topic_errors if error}
    if set(refused.values()) - {_ALREADY_EXISTS}:
        raise ValueError(f"the broker refused to create topics (name: error code): {refused}")
    return not refused and all(offset <= 0 for _, partitions in ends.topics for *_, offset in partitions)


def _send(connection: socket.socket, request: Any) -> None:
    # Any: aiokafka's request structures carry no types for the fields they build at run time.
    header = struct.pack(">hhih", request.API_KEY, request.API_VERSION, _CORRELATION, -1)
    body = header + request.encode()
    connection.sendall(struct.pack(">i", len(body)) + body)


def _receive(connection: socket.socket, request: Any) -> Any:
    (size,) = struct.unpack(">i", _exactly(connection, 4))
    answer = _exactly(connection, size)
    return request.RESPONSE_TYPE.decode(io.BytesIO(answer[4:]))


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionResetError("the broker closed the connection")
        received += part
    return received
