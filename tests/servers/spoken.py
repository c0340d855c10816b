"""What a page says in a language, looked up by its English."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from shared.web.languages import Languages, gettext, said

ROOT: Final = Path(__file__).parents[2]
LANGUAGES: Final = Languages([ROOT / "services" / "intake" / "translations"], {"cy"})


def speaker(language: str) -> Callable[..., str]:
    """`say("Question %(number)d", number=3)`: that text as a page of this language has it."""

    def say(text: str, **given: object) -> str:
        with LANGUAGES.speaking(language):
            return gettext(text) % given if given else said(text)

    return say


def before(language: str) -> str:
    """What the path of a page in this language begins with."""
    return "" if language == "en" else f"/{language}"
