"""A copy of what is held, as PDF for people and their screen readers (PDF/UA-1), in the language of the woman it is
about. It reaches for nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import cache
from importlib import import_module
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.intake.handlers.access import Copy
from shared.contracts.policy import ForcePolicy
from shared.observability import log
from shared.web.languages import ENGLISH, said, spoken
from shared.web.pages import Pages, day, when

# One at a time: setting a page is work for the processor alone, and others wait for theirs in their turn.
_PRESS: Final = ThreadPoolExecutor(1, thread_name_prefix="paper")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_UNSAID: Final = frozenset({"sealed", "sending"})
"""Names of columns that tell a reader nothing: what stands in them has names of its own."""
NAMES: Final = (
    *(
        "accepted at",
        "access needs",
        "account",
        "action",
        "actor",
        "address",
        "answered on",
        "answers",
        "asked at",
        "at",
    ),
    *("attempt", "availability", "calendar", "calendar invites", "caller id", "channel", "channels", "concern id"),
    *("contact wanted at", "created at", "days", "due at", "earliest", "email", "ended at", "excluded officers"),
    *("excluded teams", "fault", "filled in by", "followed up at", "group walk welcome", "id", "kind", "language"),
    *("language needs", "latitude", "link", "lives or works here", "longitude", "may leave voicemail"),
    *("may say police", "meeting place", "month", "moved at", "name", "notify id", "offer", "officer id", "on hold at"),
    *("parts", "phone", "place", "place from postcode", "reason", "reasons", "receipt", "receipt at", "recipient"),
    *("recognition word", "reference", "refused", "request id", "requested at", "resolved at", "route", "rules"),
    *(
        "sequence",
        "spoken at",
        "starts at",
        "state",
        "stopped",
        "stopped at",
        "team id",
        "times",
        "tries",
        "uid",
        "until",
    ),
    *("walk id", "wanted", "wishes", "words"),
)
"""What columns and fields are called on paper, to be said in her language; codes of questions stay codes."""


@cache
def can_be_made() -> bool:
    """Whether this machine has what sets pages (Pango); where it has not, there is JSON alone."""
    try:
        import_module("weasyprint")
    except (ImportError, OSError) as fault:
        log(__name__).warning("no PDF can be made here", lacks=type(fault).__name__)
        return False
    return True


async def as_pdf(request: Request, found: Copy, policy: ForcePolicy) -> Response:
    """The copy on paper. To be called once the transaction is over.

    :raises HTTPException: this machine cannot (503).
    """
    if not await asyncio.to_thread(can_be_made):
        raise HTTPException(503)
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    language = language_of(found, policy)
    with pages.languages.speaking(language):
        text = written(pages, found, policy.in_language(language))
    content = await asyncio.get_running_loop().run_in_executor(_PRESS, _set, text)
    headers = {"Content-Disposition": 'attachment; filename="copy.pdf"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


def language_of(found: Copy, policy: ForcePolicy) -> str:
    """That of the page she is on; on a page for staff, which is English, the one she is written to in."""
    if spoken() != ENGLISH:
        return spoken()
    asked = next((one["sealed"].get("language") for one in found["held"]["participant"]), None)
    return asked if asked in policy.languages else ENGLISH


def written(pages: Pages, found: Copy, policy: ForcePolicy) -> str:
    """The copy as HTML, in the language spoken."""
    held = {table: list(map(_lines, _rows(rows))) for table, rows in found["held"].items()}
    return pages.templates.get_template("copy_paper.html").render(
        policy=policy, held=held, made_at=datetime.fromisoformat(found["made_at"]), found=found, lang=spoken()
    )


def _set(text: str) -> bytes:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    class Nowhere(URLFetcher):  # type: ignore[misc]  # published without types
        """All it needs stands in the text; whatever else is asked for is a fault of ours, or somebody's trick."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            raise ValueError("a copy reaches for nothing")

    written = HTML(string=text, url_fetcher=Nowhere()).write_pdf(pdf_variant="pdf/ua-1")
    assert isinstance(written, bytes)
    return written


def _rows(rows: Any) -> Sequence[Any]:
    return rows if isinstance(rows, list) else [rows]


def _lines(row: Any) -> list[tuple[str, str]]:
    """A row as (what it is, what it says), whatever it is made of."""
    return [(", ".join(map(said, names)).capitalize(), text) for names, text in _flat(row, ())]


def _flat(value: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    match value:
        case Mapping():
            for name, one in value.items():
                called = () if name in _UNSAID else (str(name).replace("_", " ").replace("-", " "),)
                yield from _flat(one, (*names, *called))
        case list() if any(isinstance(one, Mapping | list) for one in value):
            for number, one in enumerate(value, 1):
                yield from _flat(one, (*names, str(number)))
        case list():
            yield names, ", ".join(map(_said, value)) or "–"
        case _:
            yield names, _said(value)


def _said(value: Any) -> str:
    match value:
        case None | "":
            return "–"
        case bool():
            return said("Yes") if value else said("No")
        case str() if _MOMENT.match(value):
            return _when(value)
        case str() if _DAY.fullmatch(value):
            return day(date.fromisoformat(value))
    return str(value)


def _when(text: str) -> str:
    try:
        return when(datetime.fromisoformat(text))
    except ValueError:
        return text
