"""What the environment says: one frozen model a service, read once, with a sentence for each thing that is wrong."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Role = Literal["web", "bus"]


class ServiceSettings(BaseSettings):
    """Settings every service has. Environment variables are the field names in capitals after WALKANDTALK_."""

    model_config = SettingsConfigDict(
        env_prefix="WALKANDTALK_", frozen=True, extra="ignore", secrets_dir=None, env_ignore_empty=True
    )

    roles: Annotated[tuple[Role, ...], NoDecode] = ("web", "bus")
    """web: pages and API; bus: subscribers, relay, timers and what leaves for the outside world."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)]
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    database_web_url: str
    database_bus_url: str
    database_connections: Annotated[int, Field(ge=1, le=100)] = 10

    kafka_bootstrap: str
    kafka_idempotent: bool = True
    """False only for the embedded broker, which has no idempotent producer."""
    create_topics: bool = False
    """Create missing topics at start, without copies: for a single Apache Kafka; elsewhere an administrator does."""

    forces_dir: Path = Path("deploy/forces")
    data_dir: Path = Path(".walkandtalk/data")
    """Where this service may keep files of its own: the compact postcode store, heads of its audit log."""
    postcodes_dir: Path | None = None
    """Where the compact postcode store was built already (may be read-only); otherwise it is kept in data_dir."""

    attachments_dir: Path | None = None
    """Where photographs are kept, shared by all replicas; otherwise a folder of data_dir."""

    client_address_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]*$")] = ""
    """In which our own proxy adds, last, the address of who connected to it (X-Forwarded-For). Empty: nothing stands in
    front, and who connects is counted."""
    uncounted_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """From which as many requests may come as like: a server of the force's own that asks for many, a load test."""

    session_secret: SecretStr
    oidc_issuer: str
    oidc_internal_url: str = ""
    """Where this service reaches the identity provider, if the issuer's own address is for browsers only."""
    oidc_client_id: str
    oidc_client_secret: SecretStr
    oidc_forces: Annotated[tuple[str, ...], NoDecode] = ()
    """Forces whose staff this identity provider may sign in; empty means every force of forces_dir."""

    other_names: Annotated[tuple[str, ...], NoDecode] = ()
    """Host names by which other programs reach this service inside a network, beside that of its address below."""

    intake_url: str = "http://localhost:8001"
    assignment_url: str = "http://localhost:8002"
    partners_url: str = "http://localhost:8003"
    feedback_url: str = "http://localhost:8004"

    smtp_host: str = "127.0.0.1"
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 25
    mail_from: str = "no-reply@walkandtalk.invalid"

    embedded: bool = False
    """True only in the embedded stack: demo people, demo identity provider."""

    @field_validator("roles", "oidc_forces", "uncounted_networks", "other_names", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return tuple(part.strip() for part in given.split(",") if part.strip()) if isinstance(given, str) else given


def complaints(fault: ValidationError) -> str:
    """What is wrong with the environment, one line a variable, never with the value."""
    lines = []
    for error in fault.errors(include_url=False, include_context=False, include_input=False):
        name = "WALKANDTALK_" + "_".join(str(part) for part in error["loc"]).upper()
        what = "is not set; set it" if error["type"] == "missing" else error["msg"].lower()
        lines.append(f"{name}: {what}")
    return "\n".join(lines)
