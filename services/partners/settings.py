"""What the environment says to partners."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing of its own beyond its port."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8003
