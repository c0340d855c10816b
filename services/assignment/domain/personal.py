"""What in a text may say who somebody is, marked for the officer who passes it on: hints, not a guarantee."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

NAME: Final = "a name"
EMAIL: Final = "an email address"
PHONE: Final = "a phone number"
POSTCODE: Final = "a full postcode"
ADDRESS: Final = "a house number and street"
PLATE: Final = "a number plate"


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a text, from `start` up to `end`, and what it may be."""

    start: int
    end: int
    what: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text; `what` it may be, None for what says nothing of anybody."""

    text: str
    what: str | None = None


# Quantifiers are bounded, so that no text, however long, takes longer than its length.
_EMAIL: Final = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[^\s@<>()\[\],;:\"]{1,200}\.\w{2,24}")
_PHONE: Final = re.compile(r"(?<![\w/])(?:\+|00|\(?0)[\d(](?:[ ().-]{0,3}\d){7,14}(?!\d)")
_POSTCODE: Final = re.compile(
    r"\b(?:GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]? {0,2}\d[ABD-HJLNP-UW-Z]{2})\b", re.IGNORECASE | re.ASCII
)
_PLATE: Final = re.compile(
    r"\b(?:(?i:[A-Z]{2}\d{2} ?[A-Z]{3})"  # since 2001
    r"|[A-HJ-NPR-Y]\d{1,3} ?[A-Z]{3}"  # 1983 to 2001
    r"|[A-Z]{3} ?\d{1,3}[A-Z]"  # 1963 to 1983
    r"|(?:[A-Z]I[A-Z]|[A-Z]{2}Z) ?\d{1,4})\b",  # Northern Ireland
    re.ASCII,
)

_STREETS: Final = (
    "street|st|road|rd|avenue|ave|lane|ln|close|drive|way|court|crescent|cres|place|terrace|square|gardens|grove"
    "|hill|row|walk|mews|parade|park|rise|view|green|buildings|quay|wharf|mead|vale|heights|house"
)
_WELSH_STREETS: Final = (
    "heol|stryd|ffordd|lôn|lon|rhodfa|clos|maes|llys|gerddi|rhes|cilgant|teras|sgwâr|sgwar|parc|plas|parêd|ystad"
    "|bryn|tai|cwrt|rhiw|allt|pant|dôl|dol|cae|coed|tŷ"
)
_NO_NAME_OF_A_STREET: Final = (
    "a|an|and|are|at|away|be|because|before|behind|broken|by|cars?|down|feet|for|from|further|girls?|her|hours?|in|is"
    "|lads?|lamps?|lights?|lots?|m|men|metres?|miles?|mins?|minutes?|more|near|of|off|on|one|or|other|out|over|people"
    "|she|street|that|the|there|they|this|times?|to|up|was|were|when|where|who|with|women|yards?|years?|youths"
)
_NUMBER: Final = r"\b\d{1,4}[a-z]?(?: ?[-–/] ?\d{1,4}[a-z]?)?,? {1,2}"
_ADDRESS: Final = re.compile(
    rf"\b(?:flat|apartment|apt|fflat) {{0,2}}\d{{1,4}}[a-z]?\b"
    rf"|{_NUMBER}(?:(?!(?:{_NO_NAME_OF_A_STREET})\b)[^\W\d_][\w’'.-]{{0,30}} {{1,2}}){{1,3}}(?:{_STREETS})\b\.?"
    rf"|{_NUMBER}(?:{_WELSH_STREETS})(?: {{1,2}}[^\W\d_][\w’'-]{{0,30}}){{1,3}}",
    re.IGNORECASE,
)

_TITLE: Final = re.compile(
    r"\b(?:(?:(?i:mr|mrs|cllr|councillor|sgt|sergeant|pcso|bnr|parch|parchg)|Ms|Miss|Mx|Dr|DR|Prof|Professor|Rev|Revd"
    r"|Sir|Dame|Lady|Lord|PC|Pc|WPC|DC|DS|DI|Insp|Inspector|Imam|Father|Sister|Bns|Athro|Arglwydd|Arglwyddes)\b\.?)"
)
_CALLED: Final = re.compile(
    r"\b(?:(?i:name is|name’s|name's|named|called|calls (?:himself|herself|themselves)|known as|o’r enw|o'r enw"
    r"|enw i yw|enw yw|enw e yw|enw hi yw))(?=\s)"
)
_WORD: Final = re.compile(r"[ \t]{1,3}([^\W\d_][\w’'-]{0,40})")
_BETWEEN: Final = frozenset(
    {
        "ap",
        "ab",
        "ferch",
        "verch",
        "y",
        "yr",
        "van",
        "von",
        "de",
        "der",
        "den",
        "di",
        "da",
        "del",
        "la",
        "le",
        "al",
        "el",
    }
    | {"bin", "bint", "ibn", "bn", "abu", "umm"}
)
_ANY_CASE: Final = frozenset({"mr", "mrs", "cllr", "councillor", "bnr", "parch", "parchg"})
_NO_NAME: Final = frozenset(
    {"and", "or", "who", "is", "was", "the", "a", "an", "at", "in", "on", "from", "with", "has"}
)
_MOST_NAMES: Final = 4


def marks(text: str) -> tuple[Mark, ...]:
    """What may say who somebody is, in the order of the text; where two would overlap, the one that begins first."""
    found = sorted(
        (
            *_matches(text, _EMAIL, EMAIL),
            *_matches(text, _ADDRESS, ADDRESS),
            *_matches(text, _POSTCODE, POSTCODE),
            *_matches(text, _PHONE, PHONE),
            *_matches(text, _PLATE, PLATE),
            *_names(text),
        ),
        key=lambda mark: (mark.start, -mark.end),
    )
    kept: list[Mark] = []
    for mark in found:
        if not kept or mark.start >= kept[-1].end:
            kept.append(mark)
        elif mark.end > kept[-1].end:
            # The rest of one that began inside another is marked as well.
            kept.append(Mark(kept[-1].end, mark.end, mark.what))
    return tuple(kept)


def pieces(text: str | None) -> tuple[Piece, ...]:
    """A text in pieces, the marked ones among them; together they are the text."""
    text = text or ""
    found: list[Piece] = []
    at = 0
    for mark in marks(text):
        if mark.start > at:
            found.append(Piece(text[at : mark.start]))
        found.append(Piece(text[mark.start : mark.end], mark.what))
        at = mark.end
    if at < len(text):
        found.append(Piece(text[at:]))
    return tuple(found)


def hints(*texts: str | None) -> tuple[str, ...]:
    """What these texts may hold, each kind once."""
    return tuple(dict.fromkeys(mark.what for text in texts if text for mark in marks(text)))


def _matches(text: str, pattern: re.Pattern[str], what: str) -> Iterator[Mark]:
    return (Mark(found.start(), found.end(), what) for found in pattern.finditer(text))


def _names(text: str) -> Iterator[Mark]:
    """Titles with the names after them, and names after words that introduce one."""
    for found in _TITLE.finditer(text):
        end = _end_of_name(text, found.end(), any_case=found[0].rstrip(".").lower() in _ANY_CASE)
        if end is not None:
            yield Mark(found.start(), end, NAME)
    for found in _CALLED.finditer(text):
        end = _end_of_name(text, found.end(), any_case=False)
        if end is not None:
            yield Mark(found.end() + 1, end, NAME)


def _end_of_name(text: str, at: int, *, any_case: bool) -> int | None:
    """Where the name ends that begins at `at`; None where none does. `any_case`: its first word may be small."""
    end: int | None = None
    for _ in range(_MOST_NAMES + 2):
        word = _WORD.match(text, at)
        if word is None:
            break
        small = word[1].lower()
        first, _, rest = word[1].partition("-")
        large = not word[1][0].islower() or (first in _BETWEEN and rest[:1].isupper())
        if large or (end is None and any_case and small not in _NO_NAME | _BETWEEN):
            end = word.end()
        elif small not in _BETWEEN:
            break
        at = word.end()
    return end
