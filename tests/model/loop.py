"""An event loop whose time passes only when nothing is under way: no pause of the code under test costs time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_LONGEST_ANSWER: Final = 60.0
"""Seconds of the real clock that a server may take to answer."""
_GLANCE: Final = 0.001
"""Seconds of the real clock after which whoever watches looks again."""


class _Selector(selectors.DefaultSelector):
    loop: SimulatedTime
    _told = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        loop = self.loop
        if timeout is not None and timeout <= 0:
            return list(super().select(0))
        if loop.under_way:
            found = list(super().select(_GLANCE if loop.watching else _LONGEST_ANSWER))
            if not found and not loop.watching:
                raise RuntimeError("a server does not answer")
        else:
            found = list(super().select(0))
            if not found and loop.watching and not self._told:
                # Whoever watches may see that all it waits for has come to rest; only then does time go on.
                self._told = True
                loop.tell_watching()
                return []
            if not found and timeout is not None:
                loop.now += timeout
            elif not found and not loop.watching:
                raise RuntimeError("everything waits and nothing can happen any more")
        self._told = False
        if not found:
            loop.tell_watching()
        return found


class SimulatedTime(asyncio.SelectorEventLoop):
    """Sleeping takes no time: when all tasks wait for timers alone the clock jumps to the next one.

    What is really waited for (an answer of PostgreSQL) is announced with `real()`, and the clock stands meanwhile.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.under_way = 0
        self.watching: list[asyncio.Future[None]] = []
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    async def a_moment(self) -> None:
        """Until something may have changed: a timer has run out, or a real wait has lasted for a moment."""
        self.watching.append(self.create_future())
        await self.watching[-1]

    def tell_watching(self) -> None:
        watching, self.watching = self.watching, []
        for one in watching:
            if not one.done():
                one.set_result(None)

    @contextmanager
    def real(self) -> Iterator[None]:
        """Something of the real world is waited for."""
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1


def running_loop() -> SimulatedTime:
    loop: Any = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedTime)
    return loop
