"""Whom a walk is passed on to and why, and how she was tried."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, Field

from services.assignment.domain.attempts import Outcome
from services.assignment.domain.passing import WhyPassed
from shared.contracts.kinds import Channel

PASS_MESSAGES: Final = {
    "why": "Select why",
    "to": "Select who is to have the walk",
}
ATTEMPT_MESSAGES: Final = {
    "way": "Select how you tried to reach her",
    "outcome": "Select how it ended",
}


class PassForm(BaseModel):
    """A reason from the list, and where it goes to somebody, to whom."""

    why: WhyPassed
    to: Annotated[str, Field(max_length=63)] | None = None


class AttemptForm(BaseModel):
    """A way of hers, and how it ended."""

    way: Channel
    outcome: Outcome
