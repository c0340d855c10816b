"""Days and times as people say them, in the languages messages are written in; by a London clock."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.web import pages
from shared.working_days import london

LANGUAGES: Final = ("en", "cy")
"""Languages every message is written in; a force offers those it names."""

_DAYS: Final = ("Llun", "Mawrth", "Mercher", "Iau", "Gwener", "Sadwrn", "Sul")
_MONTHS: Final = (
    "Ionawr",
    "Chwefror",
    "Mawrth",
    "Ebrill",
    "Mai",
    "Mehefin",
    "Gorffennaf",
    "Awst",
    "Medi",
    "Hydref",
    "Tachwedd",
    "Rhagfyr",
)


def when(moment: datetime, language: str) -> str:
    """Tuesday 24 November 2026 at 6:30pm; in Welsh dydd Mawrth 24 Tachwedd 2026 am 6:30pm."""
    if language != "cy":
        return pages.when(moment)
    local = london(moment)
    clock = {"midday": "hanner dydd", "midnight": "hanner nos"}.get(pages.clock(moment), pages.clock(moment))
    return f"dydd {_DAYS[local.weekday()]} {_welsh_date(local)} am {clock}"


def date(moment: datetime, language: str) -> str:
    """24 November 2026."""
    local = london(moment)
    return _welsh_date(local) if language == "cy" else f"{local.day} {local:%B %Y}"


def _welsh_date(local: datetime) -> str:
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"
