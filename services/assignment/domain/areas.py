"""Neighbourhood areas in force, and where a place belongs."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.walks import RoutedBy


@dataclass(frozen=True, slots=True)
class Area:
    """A neighbourhood area in force, and the team answerable for it."""

    force_id: str
    id: str
    name: str
    team_id: str
    team_name: str
    boundary_version: str


@dataclass(frozen=True, slots=True)
class Located:
    """The area a place belongs to and why; `distance_m` is how far outside it lies, metres."""

    area_id: str
    team_id: str
    boundary_version: str
    how: RoutedBy
    distance_m: float = 0.0
    others: tuple[str, ...] = ()
    """Areas it could have been as well; known when it is routed, and kept with why (domain/routing.py)."""
    share: float | None = None
    """Of a way: how much of it lies in the area, 0 to 1; known and kept likewise."""
