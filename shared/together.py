"""Work that comes while the same kind is under way goes together into the next transaction, each answered apart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from shared.contracts.refusals import Refusal

A = TypeVar("A")
B = TypeVar("B")

MOST: Final = 64
"""Of one flight: what one refusal makes do again, and what waits for the slowest of its company."""


class Together(Generic[A, B]):
    """One flight a key at a time. The first leaves at once; whoever comes meanwhile shares the next.

    `work(key, many)` answers many in their order, in one transaction, and raises where nothing of any of them stands.
    """

    def __init__(self, work: Callable[[str, Sequence[A]], Awaitable[Sequence[B]]]) -> None:
        self._work = work
        self._waiting: dict[str, list[tuple[A, asyncio.Future[B]]]] = {}
        self._flights: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, key: str, one: A) -> B:
        """The answer to one; raises what was its own fault, or everybody's.

        A caller that is cancelled meanwhile does not call its work back: as with a commit whose answer was lost.
        """
        answer: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append((one, answer))
        if key not in self._flights:
            self._flights[key] = asyncio.create_task(self._fly(key))
        return await answer

    async def _fly(self, key: str) -> None:
        try:
            while waiting := self._waiting.pop(key, None):
                for start in range(0, len(waiting), MOST):
                    await self._answer(key, waiting[start : start + MOST])
        finally:
            del self._flights[key]

    async def _answer(self, key: str, many: Sequence[tuple[A, asyncio.Future[B]]]) -> None:
        try:
            answers = await self._work(key, [one for one, _ in many])
        except Refusal as refusal:
            if len(many) == 1:
                _fail(many[0][1], refusal)
                return
            # One of them is refused, and nobody knows which: by halves, until it is refused alone.
            half = len(many) // 2
            await self._answer(key, many[:half])
            await self._answer(key, many[half:])
        except Exception as fault:
            for _, waiting in many:
                _fail(waiting, fault)
        except BaseException:
            for _, waiting in many:
                waiting.cancel()
            raise
        else:
            for (_, waiting), answer in zip(many, answers, strict=True):
                if not waiting.done():
                    waiting.set_result(answer)


def _fail(waiting: asyncio.Future[B], fault: Exception) -> None:
    if not waiting.done():
        waiting.set_exception(fault)
