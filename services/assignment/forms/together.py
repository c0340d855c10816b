"""Who comes along, who walks with whom, what came of a walk that was not held, and whether its officers are back."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.contracts.walks import WhatNext, WhyNotHeld


class SecondForm(BaseModel):
    """The officer who comes along; left empty, nobody does."""

    officer_id: Annotated[str, Field(max_length=63)] = ""


class JoinForm(BaseModel):
    """The walk whose women join this one."""

    joined: UUID


class PartForm(BaseModel):
    """The request that is to have a walk of its own again."""

    request_id: UUID


class NotHeldForm(BaseModel):
    """Why the walk did not take place, and what becomes of it."""

    why: WhyNotHeld
    what_next: WhatNext


NOT_HELD_MESSAGES: Final = {
    "why": "Select why the walk did not take place",
    "what_next": "Select what happens next",
}


class CheckInForm(BaseModel):
    """Back, or still out and well."""

    answer: Literal["back", "out"]
