"""How keys, places and ids stand in rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from shared.contracts.kinds import Point
from shared.database import Row

PAGE: Final = 50


Key = tuple[str, UUID]
"""A force and an id."""


def columns(keys: Iterable[tuple[str, Any]]) -> tuple[list[str], list[Any]]:
    """Keys as the two arrays unnest wants, in one order for all, so that locks are never taken crosswise."""
    ordered = sorted(set(keys))
    return [force_id for force_id, _ in ordered], [id_ for _, id_ in ordered]


def point_of(row: Row) -> Point:
    """The place of a row."""
    return Point(latitude=row["latitude"], longitude=row["longitude"])


def uuid_of(value: Any) -> UUID:
    """An id of a row."""
    # asyncpg gives its own subclass, which pydantic's strict JSON and equality of dataclasses need not meet.
    return UUID(int=value.int)
