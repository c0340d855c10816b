"""Which concerns are passed on, each with the sign of what was seen of it."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field


class ClosingForm(BaseModel):
    """`passed`: an id and what was seen of it, a colon between."""

    passed: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9a-f-]{36}:[0-9a-f]{64}$")], ...], Field(max_length=100)
    ] = ()
    disclosed: Literal["yes", "no"] | None = None


CLOSING_MESSAGES: Final = {
    "passed": "Look again at what partners will see",
    "disclosed": "Select yes if an alleged crime or intelligence came up",
}


def looks_of(data: ClosingForm) -> dict[UUID, str]:
    """What was seen of each concern that is passed on."""
    return {UUID(id_): look for id_, _, look in (one.partition(":") for one in data.passed)}
