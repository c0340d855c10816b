"""What the environment says to assignment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Assignment's own settings: only its usual port."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8002
