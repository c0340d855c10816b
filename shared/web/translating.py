"""The command behind `make translations`: every text that is said to women, from templates and code into the .po files.

A place that has texts says in its module `wording` where: TEMPLATES, CODE (calls of `_`) and `texts()` (data).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, Protocol, cast

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

PLACES: Final = ("shared.web", "services.intake")
KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2)}
TEMPLATES_AS: Final = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}


class Wording(Protocol):
    """The module `wording` of a place."""

    TEMPLATES: Sequence[Path]
    CODE: Sequence[Path]
    texts: Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """A package whose texts are translated in its folder `translations`."""

    name: str

    @property
    def files(self) -> list[Path]:
        """The .po files, one a language."""
        return sorted(Path(*self.name.split("."), "translations").glob("*.po"))

    def texts(self) -> Catalog:
        """Every text of this place, none translated."""
        found = Catalog()
        for text in self._texts():
            found.add(text)
        return found

    def _texts(self) -> Iterator[str | tuple[str, ...]]:
        wording = cast(Wording, importlib.import_module(f"{self.name}.wording"))
        for path in wording.TEMPLATES:
            with path.open("rb") as file:
                for _, _, text, _ in babel_extract(file, tuple(KEYWORDS), (), TEMPLATES_AS):
                    said = [one for one in ((text,) if isinstance(text, str) else text or ()) if one]
                    yield said[0] if len(said) == 1 else tuple(said)
        for path in wording.CODE:
            with path.open("rb") as file:
                for _, text, _, _ in extract("python", file, KEYWORDS):
                    yield text
        yield from (text for text in wording.texts() if text)


def translated(path: Path) -> Catalog:
    """A .po file as it stands."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, abort_invalid=True)


def update(place: Place, path: Path) -> list[str]:
    """Bring one file up to date: what nobody says any more goes, what is new stands there without a translation."""
    kept, found = translated(path), place.texts()
    kept.update(found, no_fuzzy_matching=True)
    written = BytesIO()
    # By the alphabet, a line a text, without dates and line numbers: two people's changes then rarely meet.
    write_po(written, kept, width=0, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    path.write_bytes(written.getvalue())
    return [str(message.id) for message in kept if message.id and not message.string]


def main() -> None:
    """Update all, and name the texts that wait for a translation."""
    for place in map(Place, PLACES):
        for path in place.files:
            for text in update(place, path):
                sys.stdout.write(f"{path}: not translated: {text}\n")


if __name__ == "__main__":
    main()
