"""What falls due in feedback."""

from __future__ import annotations

from functools import partial

from services.feedback import handlers
from services.feedback.metrics import FeedbackMetrics
from shared.bus import erasure
from shared.timers import Timers


def timers(metrics: FeedbackMetrics) -> Timers:
    """Kind of timer → handler."""
    due = Timers()
    due.on(handlers.NIGHT, partial(handlers.keep_night, metrics=metrics))
    due.on(erasure.SCRUB, erasure.scrub)
    return due
