"""One woman's request as the team keeps it: never who she is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.kinds import Point, Reason
from shared.contracts.walk_requests import Availability, ContactRules, WalkRequested


@dataclass(frozen=True, slots=True)
class Request:
    """One woman's request, as far as it concerns the team: never who she is."""

    id: UUID
    requested_at: datetime
    place: Point
    place_from_postcode: bool
    lives_or_works_here: bool
    reasons: tuple[Reason, ...]
    availability: Availability
    contact: ContactRules
    group_walk_welcome: bool
    language: str
    withdrawn_at: datetime | None = None
    amended_at: datetime | None = None
    """When she last changed where or when she wants to walk."""
    route: tuple[Point, ...] = ()
    """Where she would like to pass, `place` first; none where it is one place."""


def request_of(asked: WalkRequested, at: datetime) -> Request:
    """The request as the team keeps it, made at `at` (UTC)."""
    return Request(
        id=asked.request_id,
        requested_at=at,
        place=asked.place,
        place_from_postcode=asked.place_from_postcode,
        lives_or_works_here=asked.lives_or_works_here,
        reasons=asked.reasons,
        availability=asked.availability,
        contact=asked.contact,
        group_walk_welcome=asked.group_walk_welcome,
        language=asked.language,
        route=asked.route,
    )
