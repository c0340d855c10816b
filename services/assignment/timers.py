"""What falls due in assignment."""

from __future__ import annotations

from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers.follow_ups import FOLLOW_UP_DUE
from shared.bus import erasure
from shared.timers import Timers


def timers() -> Timers:
    """One line a kind."""
    found = Timers()
    found.on(FOLLOW_UP_DUE, following_up.mark_overdue)
    found.on(erasure.SCRUB, erasure.scrub)
    return found
