"""What was tried in a follow-up, who is to see to it, and how it ended."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from services.assignment.domain.attempts import Outcome
from services.assignment.domain.calls import Way
from services.assignment.forms.clock import Clock, Day


class OutcomeForm(BaseModel):
    """How a follow-up ended."""

    outcome: Literal["reached", "not-reached", "declined", "reviewed"]


class CallForm(BaseModel):
    """A call, a visit or a letter that was made."""

    way: Way
    result: Outcome
    day: Day
    clock: Clock


CALL_MESSAGES: Final = {
    "way": "Select how you tried",
    "result": "Select how it ended",
    "day": "Enter the day you tried",
    "clock": "Enter the time you tried",
}

TO_A_COORDINATOR: Final = "a-coordinator"


class HandOverForm(BaseModel):
    """An officer, or a coordinator."""

    officer_id: Annotated[str, Field(max_length=63)]
