"""How a follow-up ended."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class OutcomeForm(BaseModel):
    """How a follow-up ended."""

    outcome: Literal["reached", "not-reached", "declined", "reviewed"]
