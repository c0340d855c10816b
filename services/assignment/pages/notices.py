"""What a page says of what was just done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

NOTICES: Final[Mapping[str, str]] = {
    "taken": "The walk is yours to arrange.",
    "given": "The walk was given to the officer.",
    "arranged": "The walk is arranged. She will be told in a way that is safe for her.",
    "proposed": "The times were proposed. She can choose on her own page, and is told in a way that is safe for her.",
    "cancelled": "The walk was cancelled.",
    "recorded": "The walk was recorded. Its concerns go to the partners who can act on them.",
    "routed": "The walk now waits in the team’s queue.",
    "followed-up": "The follow-up was completed.",
}


def notice(request: Request) -> str | None:
    """What was just done, from the address."""
    return NOTICES.get(request.query_params.get("done", ""))


def back_to(walk_id: UUID, done: str) -> Response:
    """To the walk, which says what was done."""
    return RedirectResponse(f"/walks/{walk_id}?done={done}", 303)
