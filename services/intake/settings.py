"""What the environment tells intake beyond what every service is told."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.intake.domain.messages import Means
from services.intake.ring import MasterKeyWrong, Ring, key_service
from shared.settings import ServiceSettings


class NotifySender(BaseModel):
    """A service at GOV.UK Notify: its key, and the templates that hold nothing but what we write."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: SecretStr
    """As Notify shows it once: name, service, secret."""
    email_template: UUID | None = None
    """Subject ((subject)), message ((body)). None: e-mail goes by SMTP."""
    text_template: UUID | None = None
    """Message ((body)). None: no texts."""

    @field_validator("key")
    @classmethod
    def _whole(cls, given: SecretStr) -> SecretStr:
        try:
            UUID(given.get_secret_value()[-73:-37]), UUID(given.get_secret_value()[-36:])
        except ValueError:
            raise ValueError("must be a key of GOV.UK Notify: name, service and secret") from None
        return given

    @property
    def service(self) -> str:
        """Which of Notify's services the key is of."""
        return self.key.get_secret_value()[-73:-37]

    @property
    def secret(self) -> str:
        """What signs each call."""
        return self.key.get_secret_value()[-36:]


class NotifyAccount(BaseModel):
    """What a force has at GOV.UK Notify, which shows a service's name: neutral messages need a service of their own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    named: NotifySender | None = None
    neutral: NotifySender | None = None
    receipts_token: Annotated[SecretStr, Field(min_length=20)] | None = None
    """What Notify says when it tells what became of a message. None: we ask, once an hour."""

    @model_validator(mode="after")
    def _neutral_apart(self) -> NotifyAccount:
        if self.named and self.neutral and self.named.service == self.neutral.service:
            raise ValueError("neutral messages need a service of their own, whose name tells nothing")
        return self

    def sender(self, *, neutral: bool) -> NotifySender | None:
        """By which service such a message goes."""
        return self.neutral if neutral else self.named


class KeySettings(BaseSettings):
    """How intake, and the commands for its keys, are told the ring."""

    model_config = SettingsConfigDict(env_prefix="WALKANDTALK_", frozen=True, extra="ignore", env_ignore_empty=True)

    key_helper: str | None = None
    """A program that unwraps the master key by a key service of the force's own; then what is given is wrapped."""
    master_key_file: Path | None = None
    """The master key as a file, in place of the variable."""
    master_key: Annotated[SecretStr | None, Field(validate_default=True)] = None
    """Opens everything that says who she is; services/intake/ring.py says how it is written. Only intake has it."""

    def ring(self) -> Ring:
        """The keys, open: with a helper its key service is asked now.

        :raises MasterKeyWrong, KeyServiceFailed:
        """
        text = self.master_key.get_secret_value() if self.master_key else None
        return Ring.given(text, self.master_key_file, key_service(self.key_helper))

    @field_validator("master_key")
    @classmethod
    def _a_ring(cls, given: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if (given is None) == (info.data.get("master_key_file") is None):
            raise ValueError("set it, or WALKANDTALK_MASTER_KEY_FILE, and not both")
        # What a key service wrapped, only that service can judge.
        if given is not None and info.data.get("key_helper") is None:
            try:
                Ring.parse(given.get_secret_value())
            except MasterKeyWrong as fault:
                raise ValueError(str(fault)) from None
        return given


class Settings(KeySettings, ServiceSettings):
    """Settings of intake. Its keys are 32 random bytes each, in base64, and stand in no database."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8001
    link_key: SecretStr
    """Seals the links of surveys. Feedback has the same."""
    neutral_mail_from: str = "no-reply@messages.invalid"
    """Sender where she does not want to be told by name who writes: its domain must not say police either."""

    form_least_seconds: Annotated[float, Field(ge=0, le=60)] = 6.0
    """Whoever goes through all pages of the form faster is asked to press once more. Nobody reads them in that time."""

    notify_url: str = "https://api.notifications.service.gov.uk"
    notify: Annotated[Mapping[str, NotifyAccount], Field(default_factory=dict)]
    """By force, as JSON; docs/messages.md says how."""

    def means(self) -> dict[str, Means]:
        """What each force can send texts by."""
        return {
            force: Means(
                texts=bool(account.named and account.named.text_template),
                neutral_texts=bool(account.neutral and account.neutral.text_template),
            )
            for force, account in self.notify.items()
        }

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
