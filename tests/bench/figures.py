"""What a measurement says: figures of contestants, and bars their ratios are held against."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.progress import Progress, TaskID

Unit = Literal[
    "events/s",
    "requests/s",
    "walks/s",
    "rows/s",
    "places/s",
    "ms",
    "pages an event",
    "pages a query",
    "bytes an event",
    "events a walk",
    "bytes a walk",
    "ms a walk",
    "a walk",
]


class WrongEffect(Exception):
    """A contestant did not leave behind what it had to, so its speed means nothing."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one contestant did with one load, a value a round."""

    load: str
    contestant: str
    unit: Unit
    many: int
    """How many events, requests or rows a round."""
    values: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Seconds of processor an event, of the measured process alone; empty where it says nothing."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Bar:
    """A ratio that has to be reached, or not exceeded: the median of the ratios of each round."""

    load: str
    told: str
    limit: float
    ratios: list[float]
    direction: Literal["at least", "at most"] = "at least"

    @property
    def median(self) -> float:
        return statistics.median(self.ratios)

    @property
    def reached(self) -> bool:
        return self.median >= self.limit if self.direction == "at least" else self.median <= self.limit


@dataclass(frozen=True, slots=True)
class Found:
    """What a suite of measurements brought."""

    figures: Sequence[Figure]
    bars: Sequence[Bar] = ()
    notes: Sequence[str] = ()
    """What a reader has to know beside the figures, a sentence each."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a suite is to measure: how many interleaved rounds, how large, and where to tell its progress."""

    rounds: int
    quick: bool
    """Three rounds of a quarter of everything, to see it work: its figures are none."""
    progress: Progress

    def many(self, whole: int) -> int:
        """This many, or a quarter of it in a quick run."""
        return max(1, whole // (4 if self.quick else 1))

    def task(self, told: str, total: float | None) -> TaskID:
        """A line with a bar."""
        return self.progress.add_task(told, total=total)

    def turns(self, contestants: Sequence[str], round_: int) -> list[str]:
        """Each round begins with another, so that nobody always comes after the same neighbour."""
        first = round_ % len(contestants)
        return [*contestants[first:], *contestants[:first]]


Suite = Callable[[Run], Awaitable[Found]]


def ratio(figures: Mapping[str, Figure], one: str, other: str) -> list[float]:
    """One contestant's values by another's, round by round, between neighbours in time."""
    return [mine / theirs for mine, theirs in zip(figures[one].values, figures[other].values, strict=True)]
