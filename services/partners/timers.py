"""What falls due: a partner's time to answer."""

from __future__ import annotations

from services.partners import handlers
from shared.bus import erasure
from shared.timers import Timers


def timers() -> Timers:
    """What partners does when something falls due."""
    found = Timers()
    found.on(handlers.RESPOND, handlers.mark_overdue)
    found.on(erasure.SCRUB, erasure.scrub)
    return found
