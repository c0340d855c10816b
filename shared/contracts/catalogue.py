"""Every event there is, and which service alone writes it."""

from __future__ import annotations

from typing import Final

from shared.contracts import (
    areas,
    baseline,
    concerns,
    feedback,
    partner_view,
    referrals,
    walk_requests,
    walks,
)
from shared.contracts.envelope import Event

WRITERS: Final[dict[str, tuple[type[Event], ...]]] = {
    "intake": walk_requests.EVENTS + baseline.EVENTS,
    "assignment": walks.EVENTS + concerns.EVENTS + areas.EVENTS,
    "partners": referrals.EVENTS + partner_view.EVENTS,
    "feedback": feedback.EVENTS,
}

EVENTS: Final[tuple[type[Event], ...]] = tuple(event for written in WRITERS.values() for event in written)
BY_TYPE: Final[dict[str, type[Event]]] = {event.type(): event for event in EVENTS}
SERVICES: Final[tuple[str, ...]] = tuple(WRITERS)


def writer_of(event: type[Event]) -> str:
    """The one service that may publish this event."""
    return next(service for service, written in WRITERS.items() if event in written)


def parked_topic(service: str) -> str:
    """Where a service publishes what it could not read or apply."""
    return f"{service}.parked.v1"
