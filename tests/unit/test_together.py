"""Work that goes together: who waits for whom, and whose fault is whose."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.contracts.refusals import Refusal
from shared.together import MOST, Together


class Refused(Refusal):
    """An odd number."""


class Work:
    """Doubles numbers when it is let, refuses negative ones, and keeps what came together."""

    def __init__(self) -> None:
        self.flights: list[list[int]] = []
        self.let = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self, key: str, many: Sequence[int]) -> Sequence[int]:
        self.flights.append(list(many))
        await self.let.wait()
        if self.fault is not None:
            raise self.fault
        if min(many) < 0:
            raise Refused
        return [2 * one for one in many]


async def begun(together: Together[int, int], key: str, numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    """Calls under way."""
    calls = [asyncio.create_task(together(key, number)) for number in numbers]
    for _ in range(5):
        await asyncio.sleep(0)  # lets the calls take their places
    return calls


async def test_the_first_goes_at_once_and_the_others_together() -> None:
    """Nobody waits for company; who comes while one is under way shares the next, and each gets its own answer."""
    work = Work()
    together = Together(work)
    calls = await begun(together, "a", [1]) + await begun(together, "a", [2, 3, 4])
    assert work.flights == [[1]]
    work.let.set()
    assert await asyncio.gather(*calls) == [2, 4, 6, 8]
    assert work.flights == [[1], [2, 3, 4]]


async def test_keys_do_not_wait_for_each_other() -> None:
    """Another force's work leaves at once."""
    work = Work()
    together = Together(work)
    calls = await begun(together, "a", [1]) + await begun(together, "b", [2])
    assert work.flights == [[1], [2]]
    work.let.set()
    assert await asyncio.gather(*calls) == [2, 4]


async def test_a_refusal_is_for_one_alone() -> None:
    """Of those that go together, the one that is refused is told so, and the others are done."""
    work = Work()
    together = Together(work)
    calls = await begun(together, "a", [1]) + await begun(together, "a", [2, -3, 4])
    work.let.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert answers[:2] == [2, 4] and isinstance(answers[2], Refused) and answers[3] == 8


async def test_a_fault_of_the_moment_is_told_to_all_and_the_next_go_on() -> None:
    """With the database away nobody is kept, and who comes later is served."""
    work = Work()
    together = Together(work)
    work.fault = OSError()
    work.let.set()
    calls = await begun(together, "a", [1, 2])
    assert all(isinstance(one, OSError) for one in await asyncio.gather(*calls, return_exceptions=True))
    work.fault = None
    assert await together("a", 5) == 10


async def test_who_gives_up_does_not_keep_the_others_waiting() -> None:
    """A caller that was cancelled is answered by nobody; its company is."""
    work = Work()
    together = Together(work)
    calls = await begun(together, "a", [1]) + await begun(together, "a", [2, 3])
    calls[1].cancel()
    work.let.set()
    assert await calls[2] == 6
    with pytest.raises(asyncio.CancelledError):
        await calls[1]


async def test_no_flight_is_larger_than_it_may_be() -> None:
    """A rush is cut into several transactions."""
    work = Work()
    together = Together(work)
    calls = await begun(together, "a", [1]) + await begun(together, "a", list(range(MOST + 10)))
    work.let.set()
    await asyncio.gather(*calls)
    assert [len(one) for one in work.flights] == [1, MOST, 10]
