"""When her answers before the walk leave intake, and how long a survey can be answered."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from shared.working_days import LONDON

BASELINE_BATCH: Final = 8
"""Answers leave intake in batches of at least so many, so that none can be told to be hers."""

BASELINE_WAITS: Final = timedelta(days=30)


def leaves_on(day: date) -> datetime:
    """When answers given on this day leave at the latest, batch or no batch: a midnight, so that it tells no hour."""
    return datetime.combine(day + BASELINE_WAITS + timedelta(days=1), time(0), LONDON).astimezone(UTC)


def withdrawn_on(day: date) -> datetime:
    """When the answers of whoever was erased on this day are withdrawn: together, at three the night after."""
    return datetime.combine(day + timedelta(days=1), time(3), LONDON).astimezone(UTC)


SURVEY_OPEN_FOR: Final = timedelta(days=60)
"""How long the link of a survey can be answered, from the moment it may be sent."""
