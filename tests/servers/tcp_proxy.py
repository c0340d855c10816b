"""A way to a server that can be cut, stalled and slowed: what networks do, without any right to shape them."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Final

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing then sends a reset, as a machine does that has forgotten the connection."""


class TcpProxy:
    """Listens on 127.0.0.1:port and passes everything on to 127.0.0.1:target, both ways.

    Faults hold for connections there are and for those to come, until `mend`.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self.delay = 0.0
        """Seconds added to each way."""
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = False
        self._server: asyncio.Server | None = None
        self._sockets: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Listen no more and end every connection."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> int:
        """Reset every connection; how many there were. New ones are reset at once until `mend`."""
        self._refusing = True
        cut = len(self._sockets)
        for one in list(self._sockets):
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        for task in list(self._tasks):
            task.cancel()
        return cut

    def stall(self) -> None:
        """Take what is sent, pass nothing on, close nothing, until `mend`."""
        self._open.clear()

    def mend(self) -> None:
        """Pass everything on again, what was kept first."""
        self._refusing = False
        self.delay = 0.0
        self._open.set()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [writer]
        try:
            self._keep(writer)
            if self._refusing:
                self._reset(writer)
                return
            there, to_there = await asyncio.open_connection("127.0.0.1", self.target)
            writers.append(to_there)
            self._keep(to_there)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass(reader, to_there))
                ways.create_task(self._pass(there, writer))
        except* (OSError, asyncio.CancelledError):
            # One side is gone or was cut: the other learns of it as harshly.
            for one in writers:
                self._reset(one)
        finally:
            for one in writers:
                self._sockets.discard(one.get_extra_info("socket"))
                one.close()
            self._tasks.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one way on until its end; each piece leaves when its delay is over, in order."""
        clock = asyncio.get_running_loop().time
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=64)

        async def leave() -> None:
            while True:
                due, piece = await pieces.get()
                if (left := due - clock()) > 0:
                    await asyncio.sleep(left)
                await self._open.wait()
                if not piece:
                    break
                writer.write(piece)
                await writer.drain()
            with suppress(OSError):
                writer.write_eof()

        leaving = asyncio.create_task(leave())
        try:
            while True:
                piece = await reader.read(65536)
                await pieces.put((clock() + self.delay, piece))
                if not piece:
                    break
                if leaving.done():
                    break
            await leaving
        finally:
            leaving.cancel()

    def _keep(self, writer: asyncio.StreamWriter) -> None:
        own: socket.socket = writer.get_extra_info("socket")
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets.add(own)

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
