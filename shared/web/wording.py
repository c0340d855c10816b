"""What the pages of every service say that stands in code: told to the command that looks for texts to translate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.web.csrf import ForgedForm
from shared.web.problems import PAGES, REFUSED, UNSENT

TEMPLATES: Final = tuple(
    # The map is translated where a woman reads it (intake).
    path
    for path in sorted((Path(__file__).parent / "templates").glob("*.html"))
    if path.name != "map.html"
)
CODE: Final = (Path(__file__).parent / "pages.py", Path(__file__).parent / "forms.py")


def texts() -> Iterator[str]:
    """Each text."""
    for title, paragraphs in PAGES.values():
        yield title
        yield from paragraphs
    yield from (REFUSED, UNSENT, ForgedForm.__doc__ or "")
