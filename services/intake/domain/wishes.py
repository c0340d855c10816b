"""What she says in her own words, for whoever walks with her and nobody else: never leaves intake in plain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

WORDS_LIMIT: Final = 2000
NEEDS_LIMIT: Final = 500

_NOT_WORDS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Helper(StrEnum):
    """Who filled the form in with her, if not she herself."""

    OFFICER = "officer"
    SUPPORT_WORKER = "support-worker"
    FAMILY_OR_FRIEND = "family-or-friend"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Wishes:
    """Sealed with who she is; every field may be empty."""

    words: str = ""
    """What makes it feel unsafe there."""
    stops: str = ""
    """Where else the walk should pass, one place a line."""
    access: str = ""
    """What would make the walk easier for her."""
    languages: str = ""
    """Which languages, or an interpreter."""
    recognise: str = ""
    """What an officer says so that she knows who it is."""
    helper: str = ""
    """A Helper; none where she filled the form in herself."""

    def as_json(self) -> dict[str, str]:
        """What is sealed: what was said, and nothing of the rest."""
        return {name: text for name, text in asdict(self).items() if text}

    @classmethod
    def from_json(cls, opened: Mapping[str, Any]) -> Wishes:
        """What was sealed; by an earlier version too, which knew fewer wishes."""
        return cls(**{name: opened[name] for name in cls.__dataclass_fields__ if name in opened})


NO_WISHES: Final = Wishes()


def one_newline(text: Any) -> Any:
    """Browsers send two characters for the end of a line; they count as one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ") if isinstance(text, str) else text


def plain_words(text: str) -> str:
    """The text, if it has lines and letters and no control or direction marks.

    :raises ValueError: it has; the message is fit for her to read.
    """
    if _NOT_WORDS.search(text):
        raise ValueError("Use letters, numbers and ordinary punctuation")
    return text
