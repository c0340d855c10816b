"""Small numbers are never published: every page, call and metric shows counts only as this module lets them be.

Counts of 1 to 7 are suppressed, others rounded to 5. Where exactly one cell of a row is suppressed a second goes with
it, because the row's total would give it away, and both look alike: to know which of them is 8 or more would be enough
to subtract. Percentages come from rounded counts.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

SMALLEST_SHOWN: Final = 8
ROUNDED_TO: Final = 5
FEWER: Final = f"fewer than {SMALLEST_SHOWN}"
NOT_SHOWN: Final = "not shown"

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Figure:
    """A count as it may be published: a rounded value, or None and the words that stand in its place."""

    value: int | None
    text: str

    @property
    def shown(self) -> bool:
        return self.value is not None


HIDDEN: Final = Figure(None, NOT_SHOWN)
SMALL: Final = Figure(None, FEWER)


@dataclass(frozen=True, slots=True)
class Row(Generic[K]):
    """Counts that add up to a total, protected together."""

    cells: Mapping[K, Figure]
    total: Figure

    def __getitem__(self, key: K) -> Figure:
        return self.cells[key]

    def percent(self, key: K) -> int | None:
        """The cell's share of the total in whole per cent, or None where either is not shown."""
        return percent(self.cells[key], self.total)


def protect(count: int) -> Figure:
    """A count that stands alone, and is no part of a total published elsewhere."""
    if 0 < count < SMALLEST_SHOWN:
        return SMALL
    rounded = (count + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO
    return Figure(rounded, str(rounded))


def protect_row(counts: Mapping[K, int]) -> Row[K]:
    """Counts that add up to a total. Of fewer than eight altogether nothing is shown but that they are few."""
    total = sum(counts.values())
    if 0 < total < SMALLEST_SHOWN:
        return Row(dict.fromkeys(counts, HIDDEN), SMALL)
    hidden = {key for key, count in counts.items() if 0 < count < SMALLEST_SHOWN}
    if len(hidden) == 1:
        # The smallest of the others loses least; a cell of nobody would hide nothing.
        hidden.add(min((key for key, count in counts.items() if count and key not in hidden), key=counts.__getitem__))
    return Row({key: HIDDEN if key in hidden else protect(count) for key, count in counts.items()}, protect(total))


def percent(part: Figure, whole: Figure) -> int | None:
    """One published count as whole per cent of another, or None where either is not shown."""
    if part.value is None or not whole.value:
        return None
    return min(100, round(100 * part.value / whole.value))
