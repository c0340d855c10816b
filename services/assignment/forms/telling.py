"""How somebody wants to be told of their work."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field

from services.assignment.domain.telling import Rhythm
from services.assignment.forms.clock import read_clock

TELLING_MESSAGES: Final = {
    "email": "Enter an email address, like name@example.police.uk",
    "rhythm": "Select how often you want to be told",
}


class TellingForm(BaseModel):
    """Address, rhythm, quiet hours, and whether of new work as well."""

    email: Annotated[str, Field(max_length=254, pattern=r"^[A-Za-z0-9_.+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")]
    rhythm: Rhythm
    quiet_from: Annotated[time, BeforeValidator(read_clock)] | None = None
    quiet_to: Annotated[time, BeforeValidator(read_clock)] | None = None
    new_work: Literal["yes"] | None = None
