"""A sentence with something in it, that can still be said in another language."""

from __future__ import annotations


class Text(str):
    """The sentence in English; `said` looks up its pattern, and puts the same things into the translation.

    `Text("Line %(number)s: %(fault)s", number=2, fault="Enter a postcode")`
    """

    pattern: str
    given: dict[str, object]

    def __new__(cls, pattern: str, **given: object) -> Text:
        made = super().__new__(cls, pattern % given)
        made.pattern, made.given = pattern, given
        return made
