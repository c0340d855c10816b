"""Sends many requests on few kept connections, as fast as they are answered, and judges each answer."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.misuse.doors import Ground
from tests.misuse.hostile import Marks, raw_in_html
from tests.misuse.requests import Make, Sent

CONNECTIONS: Final = 12
"""Of each run of a kind, shared by its services."""
PATIENCE: Final = 90.0
"""Seconds an answer may take before it counts as none; long, because what else this machine does counts too."""
_NAMED: Final = re.compile(rb'"field": ?"[^"]*"')


@dataclass
class Found:
    """What became of the inputs of one kind."""

    kind: str
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    away: int = 0
    """503 with Retry-After."""
    cut: int = 0
    """Connections closed without an answer, by what is no HTTP."""
    parked: int = 0
    skipped: int = 0
    taken: int = 0
    broken: int = 0
    """5xx."""
    crashes: int = 0
    leaks: int = 0
    half_done: int = 0
    accepted: int = 0
    """Calls that changed something: the input was allowed after all."""
    seconds: float = 0.0
    growth: dict[str, float] = field(default_factory=dict)
    """Resident megabytes more than before, by service."""
    faults: list[str] = field(default_factory=list)
    """What was wrong, with the number that makes the input again."""
    refused: set[int] = field(default_factory=set)

    @property
    def well(self) -> bool:
        return not (self.broken or self.crashes or self.leaks or self.half_done or self.faults)

    def fault(self, number: int, told: str) -> None:
        if len(self.faults) < 50:
            self.faults.append(f"input {number}: {told}")


class Wire:
    """One connection, opened again whenever it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, raw: bytes, *, head_only: bool = False, give_up: float = PATIENCE) -> tuple[int, bytes, bytes]:
        """Status, head and body of the answer; status 0 where the connection was closed without one.

        :raises TimeoutError: no answer came.
        """
        fresh = self._streams is None
        try:
            async with asyncio.timeout(give_up):
                status, head, body = await self._ask(raw, head_only)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            if fresh:
                return 0, b"", b""
            # It may have been closed while nobody used it.
            return await self.ask(raw, head_only=head_only, give_up=give_up)
        except BaseException:
            self.close()
            raise
        if b"connection: close" in head.lower() or not 200 <= status < 600 or status == 400:
            self.close()
        return status, head, body

    async def _ask(self, raw: bytes, head_only: bool) -> tuple[int, bytes, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=4_000_000)
        reader, writer = self._streams
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        if status == 100:
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
        low = head.lower()
        body = b""
        at = low.find(b"\r\ncontent-length:")
        if head_only or status in (204, 304):
            pass
        elif at >= 0:
            body = await reader.readexactly(int(low[at + 17 : low.index(b"\r\n", at + 2)]))
        elif b"\r\ntransfer-encoding: chunked" in low:
            while size := int(await reader.readuntil(b"\r\n"), 16):
                body += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        else:
            body = await reader.read()
            self.close()
        return status, head, body

    def close(self) -> None:
        if self._streams is not None:
            with suppress(OSError, RuntimeError):
                self._streams[1].close()
            self._streams = None


def judge(found: Found, sent: Sent, number: int, mark: str, answer: tuple[int, bytes, bytes]) -> None:
    """Note what an answer says of the service that gave it."""
    status, head, body = answer
    found.sent += 1
    if status == 0:
        found.cut += 1
        if not sent.may_be_cut:
            found.crashes += 1
            found.fault(number, f"{sent.told}: closed without an answer")
        found.refused.add(number)
        return
    found.statuses[status] += 1
    low = head.lower()
    if status == 503 and b"\r\nretry-after:" in low:
        found.away += 1
    elif status >= 500 and not (status in (501, 505) and sent.may_be_cut):
        found.broken += 1
        found.fault(number, f"{sent.told}: {status}")
    if status >= 400:
        found.refused.add(number)
    elif (sent.raw[:4] != b"GET " and status < 300) or (status == 303 and b"location: /signin" not in low):
        found.accepted += sent.raw[:4] != b"GET "
        if sent.must_be_refused:
            found.fault(number, f"{sent.told}: {status} for what must be refused")
    _look_for_leaks(found, sent, number, mark, head, body)


def _look_for_leaks(found: Found, sent: Sent, number: int, mark: str, head: bytes, body: bytes) -> None:
    sign = mark.encode()
    if sign in head:
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            away = value.strip().startswith((b"//", b"http")) and sign in value.partition(b"?")[0]
            # Where somebody is sent after signing in may repeat their own path; nothing else repeats anything.
            if sign in line and (name.lower() != b"location" or away):
                found.leaks += 1
                found.fault(number, f"{sent.told}: in the header {name.decode(errors='replace')[:40]}")
    if sign not in body:
        return
    if b"application/problem+json" in head and sign in _NAMED.sub(b"", body):
        found.leaks += 1
        found.fault(number, f"{sent.told}: a value in a problem document")
    elif b"text/html" in head and any(raw in body for raw in raw_in_html(mark)):
        found.leaks += 1
        found.fault(number, f"{sent.told}: unescaped in a page")


def made(make: Make, ground: Ground, marks: Marks, kind: str, seed: int, number: int) -> Sent:
    """The input of that number, the same every time on the same ground."""
    return make(ground, Random(f"{seed} {kind} {number}"), marks.of_input(number))


async def flood(
    ground: Ground, kind: str, make: Make, marks: Marks, seed: int, numbers: Iterator[int], tell: Callable[[int], None]
) -> Found:
    """Send the inputs of one kind; at most CONNECTIONS wait for an answer at any time."""
    found = Found(kind)
    ports = {name: getattr(ground.stack.ports, name) for name in ground.stack.services}

    async def worker() -> None:
        wires = {name: Wire(port) for name, port in ports.items()}
        try:
            for number in numbers:
                sent = made(make, ground, marks, kind, seed, number)
                head_only = sent.raw[:5] == b"HEAD "
                wire = wires[sent.service]
                try:
                    answer = await wire.ask(sent.raw, head_only=head_only, give_up=5.0 if sent.may_be_cut else PATIENCE)
                except TimeoutError:
                    answer = (0, b"", b"")
                if sent.may_be_cut:
                    # What came before the garbage may have been answered, and more may follow.
                    wire.close()
                judge(found, sent, number, marks.of_input(number), answer)
                tell(1)
        finally:
            for wire in wires.values():
                wire.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(worker())
    return found
