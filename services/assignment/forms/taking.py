"""Who takes a walk on."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class TakeForm(BaseModel):
    """Which officer a coordinator gives the walk to; an officer sends nothing."""

    officer_id: Annotated[str, Field(max_length=63)] | None = None
