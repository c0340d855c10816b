"""What falls due in assignment."""

from __future__ import annotations

from services.assignment import handlers
from shared.bus import erasure
from shared.timers import Timers


def timers() -> Timers:
    """One line a kind."""
    found = Timers()
    found.on(handlers.FOLLOW_UP_DUE, handlers.mark_overdue)
    found.on(erasure.SCRUB, erasure.scrub)
    return found
