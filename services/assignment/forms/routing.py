"""The area of a walk."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class RouteForm(BaseModel):
    """The area a coordinator chose."""

    area_id: Annotated[str, Field(max_length=63)]
