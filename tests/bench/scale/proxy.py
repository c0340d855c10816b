"""A TCP proxy that makes every trip to a server longer, in a process of its own: `python -m tests.bench.scale.proxy`.

What a client sends is passed on five milliseconds later, each piece on its own clock: pieces that are under way
together stay together, so pipelining is worth what it is worth on a longer line. Answers pass at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys


async def _serve(target: int, delay: float) -> None:
    loop = asyncio.get_running_loop()

    async def carry(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, forth = await asyncio.open_connection("127.0.0.1", target)

        def later(piece: bytes) -> None:
            if not forth.is_closing():
                forth.write(piece)

        async def there() -> None:
            while piece := await client.read(1 << 16):
                loop.call_later(delay, later, piece)
            loop.call_later(delay, forth.close)

        async def here() -> None:
            while piece := await server.read(1 << 16):
                back.write(piece)
                await back.drain()
            back.close()

        with contextlib.suppress(OSError):
            await asyncio.gather(there(), here())

    listening = await asyncio.start_server(carry, "127.0.0.1", 0)
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # Whoever started this closes the pipe when it is done, or dies.
    await loop.run_in_executor(None, sys.stdin.read)
    listening.close()


def main() -> None:
    """Listen on a free port, print it, and carry until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, required=True)
    given = parser.parse_args()
    serving = _serve(given.target, given.delay_ms / 1000)
    if sys.platform == "win32":
        asyncio.run(serving)
    else:
        import uvloop

        uvloop.run(serving)


if __name__ == "__main__":
    main()
