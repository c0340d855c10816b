"""Whether a name is the one somebody looks for: whatever its capitals and accents, and with parts of it left out."""

from __future__ import annotations

import unicodedata
from typing import Final

LEAST: Final = 2
"""Letters without which a search by name would be a list of everybody."""

# What has no accent to be taken off, and yet is typed without it.
_PLAIN: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})


def words_of(text: str) -> tuple[str, ...]:
    """The words of a name as they are compared: small letters without accents; an apostrophe divides nothing."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)
    letters = (one for one in plain if not unicodedata.combining(one) and one not in "'’ʼ`")
    return tuple("".join(one if one.isalnum() else " " for one in letters).split())


def is_she(searched: tuple[str, ...], name: str) -> bool:
    """Whether every word looked for is the beginning of a word of the name."""
    words = words_of(name)
    return bool(searched) and all(any(word.startswith(one) for word in words) for one in searched)
