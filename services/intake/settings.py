"""What the environment tells intake beyond what every service is told."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of intake. Its two keys are 32 random bytes each, in base64, and stand in no database."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8001
    master_key: SecretStr
    """Opens everything that says who she is. Only intake has it."""
    link_key: SecretStr
    """Seals the links of surveys. Feedback has the same."""
    neutral_mail_from: str = "no-reply@messages.invalid"
    """Sender where she does not want to be told by name who writes: its domain must not say police either."""

    @field_validator("master_key", "link_key")
    @classmethod
    def _thirty_two_bytes(cls, given: SecretStr) -> SecretStr:
        try:
            length = len(base64.b64decode(given.get_secret_value(), validate=True))
        except ValueError:
            length = 0
        if length != 32:
            raise ValueError("must be 32 random bytes in base64")
        return given
