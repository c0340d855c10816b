"""Whether a form looks as if a program had filled it in. Never a reason to lose one: she is to press once more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

BEGUN: Final = "begun"
DOUBTED: Final = "doubted"
"""In her sitting: when its first question was answered, by our clock; and that she was asked to press once more."""

Sign: TypeAlias = Literal["field", "pace"]


def doubt(content: Mapping[str, Any], bait: str, now: datetime, least_seconds: float) -> Sign | None:
    """What speaks against a person: the field nobody sees holds something, or some twenty pages took a few seconds.
    None for whoever was asked before, whatever her browser puts where."""
    if DOUBTED in content:
        return None
    if bait:
        return "field"
    begun = content.get(BEGUN)
    quick = begun is not None and (now - datetime.fromisoformat(begun)).total_seconds() < least_seconds
    return "pace" if quick else None
