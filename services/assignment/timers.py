"""What falls due in assignment."""

from __future__ import annotations

from functools import partial

from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers import passing
from services.assignment.handlers.follow_ups import FOLLOW_UP_DUE
from services.assignment.handlers.passing import NOT_TAKEN
from services.assignment.handlers.walks import Policies
from shared.bus import erasure
from shared.timers import Timers


def timers(policies: Policies) -> Timers:
    """One line a kind."""
    found = Timers()
    found.on(FOLLOW_UP_DUE, following_up.mark_overdue)
    found.on(NOT_TAKEN, partial(passing.escalate_not_taken, policies=policies))
    found.on(erasure.SCRUB, erasure.scrub)
    return found
