"""Pages in several languages: English is the key of every text, translations stand in .po files, and the language of a
page is the first part of its address (`/cy/...`) and nowhere else."""

from __future__ import annotations

import gettext as gnu
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.wording import Text

ENGLISH: Final = "en"
OURS: Final = Path(__file__).parent / "translations"

_ABROAD: Final = re.compile(r'(?<!hreflang="\w\w" )\b((?:href|action|formaction)=")/(?!/|static/|theme\.css)')
"""A link or form of ours in a page. What people typed cannot look so: its quotation marks are escaped."""


class LanguageNotTranslated(Exception):
    """A force offers a language in which there are no pages."""


class Languages:
    """The languages pages can be shown in: English, and those of which there are .po files."""

    def __init__(self, folders: Sequence[Path] = (), wanted: Iterable[str] = ()) -> None:
        """`folders` hold `<language>.po`; what the first lacks is looked for in the next, at last in shared/web's own.

        :raises LanguageNotTranslated: a wanted language has no file in one of them.
        """
        self._found: dict[str, gnu.NullTranslations] = {ENGLISH: gnu.NullTranslations()}
        for language in sorted(set(wanted) - {ENGLISH}):
            files = [folder / f"{language}.po" for folder in (*folders, OURS)]
            if not folders or not all(file.is_file() for file in files):
                raise LanguageNotTranslated(f"{language}: looked for {', '.join(map(str, files))}")
            first, *others = map(_read, files)
            for other in others:
                first.add_fallback(other)
            self._found[language] = first

    def __contains__(self, language: object) -> bool:
        return language in self._found

    @property
    def foreign(self) -> frozenset[str]:
        """All but English: those that stand in an address."""
        return frozenset(self._found) - {ENGLISH}

    @contextmanager
    def speaking(self, language: str) -> Iterator[None]:
        """Within this, `gettext`, `said` and the dates of pages are of this language."""
        token = _SPOKEN.set((language, self._found[language]))
        try:
            yield
        finally:
            _SPOKEN.reset(token)


_SPOKEN: ContextVar[tuple[str, gnu.NullTranslations]] = ContextVar(
    "language", default=(ENGLISH, gnu.NullTranslations())
)


def _read(path: Path) -> gnu.GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gnu.GNUTranslations(compiled)


def spoken() -> str:
    """The language that is spoken here and now, like "cy"."""
    return _SPOKEN.get()[0]


def gettext(text: str) -> str:
    """A text of ours in the language spoken; in code under the name `_`, by which it is found for translation."""
    return _SPOKEN.get()[1].gettext(text) if text else ""


def ngettext(one: str, several: str, number: int) -> str:
    """The same, by number."""
    return _SPOKEN.get()[1].ngettext(one, several, number)


def said(text: str) -> str:
    """A text that is data (a question, a refusal) in the language spoken; one that nobody translated stays."""
    if isinstance(text, Text):
        parts = {name: said(part) if isinstance(part, str) else part for name, part in text.given.items()}
        return gettext(text.pattern) % parts
    return gettext(text)


def dated(moment: date, pattern: str, language: str | None = None) -> str:
    """A date by one of Babel's patterns, like "EEEE d MMMM y"; a Welsh day is no proper name within a sentence."""
    language = language or spoken()
    text = format_date(moment, pattern, locale="en_GB" if language == ENGLISH else language)
    return text.replace("Dydd ", "dydd ") if language == "cy" else text


def own_name(language: str) -> str:
    """What a language calls itself: Cymraeg."""
    name = Locale.parse(language).get_display_name(language) or language
    return name[0].upper() + name[1:]


def language_of(connection: HTTPConnection) -> str:
    """The language this page was asked for in."""
    return str(connection.scope.get("language", ENGLISH))


def prefixed(html: str, language: str) -> str:
    """A page whose links and forms stay in its language, but for those with a `hreflang` before their `href`."""
    return html if language == ENGLISH else _ABROAD.sub(rf"\1/{language}/", html)


class Speaking:
    """Takes the language off the front of a path, and puts it before a redirect's; the routes know of none."""

    def __init__(self, app: ASGIApp, *, languages: Languages) -> None:
        self.app = app
        self.languages = languages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        first, _, rest = scope["path"].removeprefix("/").partition("/")
        if first not in self.languages.foreign or rest.startswith("static/"):
            with self.languages.speaking(ENGLISH):
                await self.app(scope, receive, send)
            return
        prefix = f"/{first}".encode()
        # The scope itself, not a copy: the edge, on the other side of this, counts by the route found in it.
        scope["language"], scope["path"] = first, f"/{rest}"
        scope["raw_path"] = scope.get("raw_path", b"").removeprefix(prefix) or b"/"

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, prefix + value if name.lower() == b"location" and re.match(rb"/(?!/)", value) else value)
                    for name, value in message.get("headers", [])
                ]
            await send(message)

        with self.languages.speaking(first):
            await self.app(scope, receive, sending)
