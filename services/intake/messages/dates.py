"""Days and times of messages, in their language as on pages; by a London clock."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Final

from shared.web import pages
from shared.web.languages import OURS, Languages, dated
from shared.working_days import london

LANGUAGES: Final = ("en", "cy")
"""Languages every message is written in; a force offers those it names."""


def when(moment: datetime, language: str) -> str:
    """Tuesday 24 November 2026 at 6:30pm; in Welsh dydd Mawrth 24 Tachwedd 2026 am 6:30pm."""
    with _languages().speaking(language):
        return pages.when(moment)


def date(moment: datetime, language: str) -> str:
    """24 November 2026."""
    return dated(london(moment), "d MMMM y", language)


@cache
def _languages() -> Languages:
    return Languages([OURS], LANGUAGES)
