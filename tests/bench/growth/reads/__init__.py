"""Reads: what pages, lists, metrics, routing and evaluation cost with 1, 10, 100 and 1,000 times the demo's walks."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from shared.runtime import settle
from tests.bench.figures import Bar, Figure, Found, Run
from tests.bench.growth.reads.questions import QUESTIONS
from tests.bench.growth.reads.world import FORCE, World, worlds

_DEMO: Final = 25
_TIMES: Final = (1, 10, 100, 1_000)
_CALLS: Final = 5
_FLAT: Final = 2.0
"""Pages a line at the largest size, by those at a tenth of it, of what may not grow: an index level, no more."""
_LEAST: Final = 4.0
"""Pages of one look-up in a tree that has grown; ratios of fewer say nothing."""
GROWS: Final[dict[str, str]] = {
    "queue of the force, page 5": "lists are turned page by page: a tenth page reads what the nine before it read.",
    "a coordinator's first page": "it counts what is open, which is a share of all walks here; an index is counted,"
    " not the walks.",
    "assignment's metrics": "it counts what is open, as the first page does; what is over is not looked at.",
    "partners' metrics": "it counts what is open; what is over is not looked at.",
    "evaluation": "it counts a force's walks, answers and concerns anew at each look, and no running total is kept,"
    " because a total that moves with an answer would lead to it. Leadership looks a few times a day.",
}
"""What does grow with the rows beneath it, and why it may."""


class _Undone(Exception):
    """A question's transaction is rolled back, so that each finds what the first one found."""


async def suite(run: Run) -> Found:
    """Every question, asked in worlds of growing size, in turn."""
    sizes = [_DEMO * times for times in (_TIMES[:3] if run.quick else _TIMES)]
    bar = run.task("making worlds", len(sizes))
    figures: dict[str, dict[int, tuple[Figure, Figure]]] = {}
    a_line: dict[tuple[str, int], list[float]] = {}
    async with worlds(sizes, lambda: run.progress.advance(bar)) as made:
        settle()
        bar = run.task("asking", run.rounds * len(QUESTIONS))
        nothing = await _nothing(made[0])
        for n in range(run.rounds):
            for name in QUESTIONS:
                run.progress.update(bar, description=name)
                of = figures.setdefault(name, {})
                for world in made[n % len(made) :] + made[: n % len(made)]:
                    who = f"{world.walks:,} walks"
                    ms, pages = of.setdefault(
                        world.walks,
                        (Figure(name, who, "ms", _CALLS), Figure(name, who, "pages a query", 1)),
                    )
                    ms.values.append(await _timed(world, name))
                    counted, lines = await _counted(world, name)
                    pages.values.append(counted - nothing)
                    a_line.setdefault((name, world.walks), []).append(max(counted - nothing, _LEAST) / lines)
                run.progress.advance(bar)
    largest, before = sizes[-1], sizes[-2]
    bars = [
        Bar(
            name,
            f"times the pages a line shown at {before:,} walks, at {largest:,}",
            _FLAT,
            [a / b for a, b in zip(a_line[name, largest], a_line[name, before], strict=True)],
            "at most",
        )
        for name in figures
        if name not in GROWS
    ]
    notes = [f"{name} grows: {why}" for name, why in GROWS.items()]
    shown = [figure for of in figures.values() for kind in (0, 1) for figure in (pair[kind] for pair in of.values())]
    return Found(shown, bars, notes)


async def _ask(world: World, name: str) -> object:
    service, ask = QUESTIONS[name]
    found: object = None
    try:
        async with world.databases[service].transaction([FORCE]) as tx:
            found = await ask(tx, world)
            raise _Undone
    except _Undone:
        return found


def _lines(found: object) -> int:
    """Lines of the list that was read, 1 of what is no list."""
    while isinstance(found, tuple) and found:
        found = found[0]
    return max(1, len(found)) if isinstance(found, list) else 1


async def _timed(world: World, name: str) -> float:
    """Milliseconds, the best of a few calls: the first one of a round meets what the last question left in memory."""
    took = []
    for _ in range(_CALLS):
        began = perf_counter()
        await _ask(world, name)
        took.append(perf_counter() - began)
    return min(took) * 1e3


async def _counted(world: World, name: str) -> tuple[float, int]:
    """Pages of one call, and lines it brought."""
    service, _ = QUESTIONS[name]
    await _flush(world, service)
    before = await world.pages()
    found = await _ask(world, name)
    await _flush(world, service)
    return float(await world.pages() - before), _lines(found)


async def _nothing(world: World) -> float:
    """Pages of looking, and of no question at all."""
    await _flush(world, "feedback")
    await world.pages()
    before = await world.pages()
    await _flush(world, "feedback")
    return float(await world.pages() - before)


async def _flush(world: World, service: str) -> None:
    async with world.databases[service].pool.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
