"""One run: the load, the schedule, the recovery of each step, the quiet at the end, and the verdict."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.acts import Acts
from tests.faults.found import Effects, Found, look
from tests.faults.ground import Ground, standing
from tests.faults.invariants import Verdict, judge
from tests.faults.load import Load
from tests.faults.records import SUBSCRIBED, Mischief
from tests.faults.schedule import Kind, Step, counted, schedule

TOGETHER = ("", "two at once", "three at once")
TO_RECOVER = 120.0
"""Seconds a step may take until all that was accepted before has taken effect."""
TO_BE_QUIET = 240.0
"""Seconds until nothing is under way after the last story: claims of a killed sender run out after sixty."""


@dataclass
class Outcome:
    """What a run found."""

    seed: int
    wanted: int
    """Kills and cuts in the whole schedule."""
    steps: list[Step]
    """Those that were taken."""
    kills: int = 0
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    """Seconds by kind of fault; steps of several faults apart."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """What went wrong beside the invariants: not recovered in time, a process that ended by itself."""
    told: int = 0
    left: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    events: int = 0
    seconds: float = 0.0
    quiet_after: float = 0.0

    @property
    def well(self) -> bool:
        """Whether everything held."""
        return not self.troubles and bool(self.verdicts) and not any(one.breaches for one in self.verdicts.values())


async def run(
    folder: Path,
    seed: int,
    kills: int,
    *,
    at_once: int,
    minutes: float = math.inf,
    say: Callable[[str], None] = lambda what: None,
    passed: Callable[[int], None] = lambda steps: None,
    keep: Callable[[Found], None] = lambda found: None,
) -> Outcome:
    """Start everything, break it by the schedule of the seed, and judge what stands. `passed` counts kills and cuts.

    After so many minutes of faults the rest of the schedule is left, and what was done is judged.
    """
    began = time.monotonic()
    say("starting")
    async with standing(folder) as ground:
        without = frozenset(
            kind
            for kind, possible in ((Kind.FILL_DISK, ground.disk), (Kind.STEP_CLOCK, ground.has_clock))
            if not possible
        )
        steps = schedule(seed, kills, without)
        outcome = Outcome(seed, kills, steps, lacking=list(ground.lacking))
        mischief = Mischief(ground.cluster.bootstrap, seed)
        load = Load(ground.stack, seed)
        effects = Effects(ground.stack, {service: set(types) for service, types in SUBSCRIBED.items()})
        stopping = asyncio.Event()
        telling = asyncio.create_task(load.tell_stories(stopping, at_once))
        try:
            await _first_stories(load, telling)
            acts = Acts(ground, mischief)
            until = time.monotonic() + 60 * minutes
            for number, step in enumerate(steps):
                if telling.done() or time.monotonic() > until:
                    outcome.steps = steps[:number]
                    break
                say(str(step))
                took = await _take(step, acts, effects, ground, outcome)
                say(f"recovered after {took:.1f} s")
                passed(counted([step]))
            outcome.kills = counted(outcome.steps)
        finally:
            stopping.set()
            say("telling the last stories to their end")
            await asyncio.wait([telling])
        accepted = telling.result()
        say("waiting until all is quiet")
        outcome.quiet_after = await _quiet(effects, outcome)
        await effects.close()
        say("looking at everything")
        found = await look(ground.stack, ground.cluster.bootstrap, accepted, mischief.spoiled)
    keep(found)
    outcome.verdicts = judge(found)
    outcome.told, outcome.left = accepted.told, dict(accepted.left)
    outcome.accepted = {
        "requests": len(accepted.requests),
        "withdrawn": len(accepted.withdrawn),
        "walks held": len(accepted.walks),
        "concerns resolved": len(accepted.resolved),
        "concerns withdrawn": len(accepted.withdrawn_concerns),
        "answers": accepted.answers,
        "followed up": len(accepted.worried),
        "records repeated": mischief.repeated,
        "records spoiled": len(mischief.spoiled),
    }
    outcome.statuses = {f"{service} {status}": many for (service, status), many in sorted(accepted.statuses.items())}
    outcome.events = len(found.records)
    outcome.seconds = time.monotonic() - began
    return outcome


async def _first_stories(load: Load, telling: asyncio.Task[object]) -> None:
    """Faults act on a system at work, and records can be repeated only once there are some."""
    async with asyncio.timeout(300):
        while load.accepted.told < 3 and not telling.done():  # noqa: ASYNC110  # stories go through other processes
            await asyncio.sleep(0.1)


async def _take(step: Step, acts: Acts, effects: Effects, ground: Ground, outcome: Outcome) -> float:
    await asyncio.sleep(step.after)
    ends = await asyncio.gather(*(acts.act(fault) for fault in step.faults))
    ended = max(ends)
    clock = asyncio.get_running_loop().time
    await effects.note()
    while (left := await effects.left()) or not await asyncio.to_thread(_all_ready, ground):
        if clock() - ended > TO_RECOVER:
            outcome.troubles.append(f"{step}: {left} effects missing after {TO_RECOVER:.0f} s")
            break
        await asyncio.sleep(0.2)
    took = clock() - ended
    kind = TOGETHER[len(step.faults) - 1] or step.faults[0].kind.value
    outcome.recoveries.setdefault(kind, []).append(took)
    outcome.troubles += [f"{step}: {name} ended by itself" for name in acts.ended_by_themselves()]
    return took


def _all_ready(ground: Ground) -> bool:
    programs = [*ground.stack.programs.values(), *ground.stack.seconds.values()]
    return all(program.ready() for program in programs)


async def _quiet(effects: Effects, outcome: Outcome) -> float:
    began = time.monotonic()
    while left := await effects.quiet():
        if time.monotonic() - began > TO_BE_QUIET:
            outcome.troubles.append(f"not quiet after {TO_BE_QUIET:.0f} s: {', '.join(left)}")
            break
        await asyncio.sleep(0.3)
    return time.monotonic() - began
