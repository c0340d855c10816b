"""What the environment tells feedback beyond what every service is told."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of feedback."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8004
    link_key: SecretStr
    """Opens the links of surveys: 32 random bytes in base64. Intake has the same."""

    @field_validator("link_key")
    @classmethod
    def _thirty_two_bytes(cls, given: SecretStr) -> SecretStr:
        try:
            length = len(base64.b64decode(given.get_secret_value(), validate=True))
        except ValueError:
            length = 0
        if length != 32:
            raise ValueError("must be 32 random bytes in base64")
        return given

    @property
    def link_key_bytes(self) -> bytes:
        """The link key as the 32 bytes it is."""
        return base64.b64decode(self.link_key.get_secret_value())
