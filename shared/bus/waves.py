"""Sorting a batch so that a handler gets large groups and no event overtakes an earlier one of its own key."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")


def waves(items: Iterable[tuple[Hashable, Hashable, T]]) -> list[list[T]]:
    """Split `(type, key, item)` in arrival order into groups to be handled one after the other.

    Each group holds one type and each key at most once. An item's group comes after the groups of every earlier item
    of its key. Items of different keys may change places: there is no order between keys.
    """
    groups: list[list[T]] = []
    of_type: dict[Hashable, list[int]] = {}
    last: dict[Hashable, int] = {}
    for type_, key, item in items:
        earliest = last.get(key, -1) + 1
        mine = of_type.setdefault(type_, [])
        found = bisect_left(mine, earliest)
        if found < len(mine):
            place = mine[found]
        else:
            place = len(groups)
            groups.append([])
            mine.append(place)
        groups[place].append(item)
        last[key] = place
    return groups
