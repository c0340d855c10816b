"""Text that people enter, as it may be kept and shared."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from services.assignment.domain.refusals import WordsTooLong

LONGEST_NAME: Final = 200
LONGEST_WORDS: Final = 4000


_TAG: Final = re.compile(r"</?[A-Za-z!?][^<>]*>")


def plain(text: str) -> str:
    """Text without markup and without characters that cannot be seen, so that it is safe wherever it is shown.

    Line ends and tabs stay; what removing a tag would newly join into a tag is removed as well.
    """
    seen = "".join(
        character
        for character in unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
        if character in "\n\t\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    while (without := _TAG.sub("", seen)) != seen:
        seen = without
    return seen.strip()


def shareable(words: str | None) -> str | None:
    """The words as they will be shared, None when nothing is left.

    :raises WordsTooLong: they exceed 4,000 characters.
    """
    cleaned = plain(words or "")
    if len(cleaned) > LONGEST_WORDS:
        raise WordsTooLong
    return cleaned or None
