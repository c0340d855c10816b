"""The proxy does to a connection what a bad network does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.embedded.processes import free_port
from tests.servers.tcp_proxy import TcpProxy

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def proxy() -> AsyncIterator[TcpProxy]:
    """A proxy before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1000):
            writer.write(piece)
        writer.close()

    port = free_port()
    server = await asyncio.start_server(echo, "127.0.0.1", port)
    found = TcpProxy(free_port(avoid=[port]), port)
    await found.start()
    yield found
    await found.stop()
    server.close()


async def connected(proxy: TcpProxy) -> Pair:
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def said_back(pair: Pair, what: bytes) -> bytes:
    reader, writer = pair
    writer.write(what)
    return await asyncio.wait_for(reader.readexactly(len(what)), 10)


async def test_all_passes_both_ways_in_order(proxy: TcpProxy) -> None:
    """More than any buffer holds comes back as it was sent, and an end is passed on as an end."""
    reader, writer = await connected(proxy)
    sent = bytes(range(256)) * 4000
    writer.write(sent)
    assert await asyncio.wait_for(reader.readexactly(len(sent)), 10) == sent
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 10) == b""


async def test_a_cut_resets_what_is_there_and_what_comes_until_it_is_mended(proxy: TcpProxy) -> None:
    """Connections end with a reset; new ones get nowhere; once mended, new ones pass."""
    pair = await connected(proxy)
    assert await said_back(pair, b"one") == b"one"
    assert proxy.cut() == 2
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(pair[0].read(), 10)
    reader, _ = await connected(proxy)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 10)
    proxy.mend()
    assert await said_back(await connected(proxy), b"two") == b"two"


async def test_a_stall_keeps_what_is_sent_and_loses_none_of_it(proxy: TcpProxy) -> None:
    """Nothing comes through while it lasts, and everything after."""
    pair = await connected(proxy)
    assert await said_back(pair, b"one") == b"one"
    proxy.stall()
    with pytest.raises(TimeoutError):
        pair[1].write(b"two")
        await asyncio.wait_for(pair[0].read(1), 0.2)
    proxy.mend()
    assert await asyncio.wait_for(pair[0].readexactly(3), 10) == b"two"


async def test_a_delay_is_added_to_each_way(proxy: TcpProxy) -> None:
    """There and back takes twice the delay at least."""
    pair = await connected(proxy)
    proxy.delay = 0.1
    began = asyncio.get_running_loop().time()
    assert await said_back(pair, b"one") == b"one"
    assert asyncio.get_running_loop().time() - began >= 0.2
