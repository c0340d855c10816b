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
    "calendar-ended": "Your calendar can no longer be fetched.",
    "second": "The officer comes along. The hour is theirs in the calendar too.",
    "no-second": "Nobody comes along any more.",
    "joined": "They walk together now. Those who joined are told in a way that is safe for each of them.",
    "parted": "She has a walk of her own again, which waits in the team’s queue.",
    "not-held-again": "Arrange the walk again. She is told that the time no longer stands.",
    "not-held-queue": "The walk waits in the team’s queue again. She is told that the time no longer stands.",
    "not-held-close": "The walk was closed. She is told in a way that is safe for her.",
    "back": "Everybody is back. You can record the walk now or later.",
    "still-out": "Noted. You will be asked again.",
    "recorded": "The walk was recorded. Its concerns go to the partners who can act on them.",
    "passed-on": "The concerns go to the partners who can act on them.",
    "withdrawn": "The concern was withdrawn. Partners will be told that nothing more needs to be done.",
    "reopened": "Partners will be told that the concern is not resolved.",
    "routed": "The walk now waits in the team’s queue.",
    "handed-on": "The walk was passed on.",
    "patrol-logged": "The patrol was logged.",
    "patrol-corrected": "The patrol was corrected.",
    "patrol-withdrawn": "The patrol was taken back.",
    "patrol-enough": "No more patrols are wanted there.",
    "chosen": "You will be told as you chose.",
    "tried": "The attempt was logged.",
    "follow-up-given": "The follow-up was handed over.",
    "saved": "The entry was saved.",
    "availability": "The availability was changed.",
    "absence": "The days away were changed.",
    "languages": "The languages were saved.",
    "session": "The session was recorded.",
    "attendance": "Who was there was saved.",
    "followed-up": "The follow-up was completed.",
    "disclosure-first": "The walk is not closed. First record number and safeguarding of what was disclosed.",
    "disclosure-in-part": "Saved. The walk cannot be closed before number and safeguarding are both recorded.",
    "disclosure-recorded": "Number and safeguarding are recorded.",
    "disclosure-withdrawn": "The record was taken back.",
}


def notice(request: Request) -> str | None:
    """What was just done, from the address."""
    return NOTICES.get(request.query_params.get("done", ""))


def back_to(walk_id: UUID, done: str) -> Response:
    """To the walk, which says what was done."""
    return RedirectResponse(f"/walks/{walk_id}?done={done}", 303)
