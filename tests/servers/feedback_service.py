"""Feedback's pages and API on a test's own database, and links as intake makes them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from fastapi import FastAPI
from pydantic import SecretStr

from services.feedback.app import build
from services.feedback.settings import Settings
from shared.contracts.kinds import SurveyName
from shared.survey_link import Ticket
from tests.servers.databases import ServiceDatabase

FORCE = "avon-and-somerset"
KEY = bytes(range(32))
FORCES = Path(__file__).resolve().parents[2] / "deploy" / "forces"


def feedback_app(service: ServiceDatabase, url: str = "http://localhost:8004") -> FastAPI:
    """Feedback in the web role alone; nothing of it needs a broker."""
    return build(
        Settings(
            roles=("web",),
            database_web_url=service.web_url,
            database_bus_url=service.bus_url,
            kafka_bootstrap="127.0.0.1:1",
            forces_dir=FORCES,
            session_secret=SecretStr("a secret of at least thirty-two characters"),
            oidc_issuer="http://127.0.0.1:1",
            oidc_client_id="walkandtalk",
            oidc_client_secret=SecretStr("client-secret"),
            link_key=SecretStr(base64.b64encode(KEY).decode()),
            feedback_url=url,
        )
    )


def a_ticket(*, pair_id: UUID | None = None, contact: str = "sealed-reference", days: int = 30) -> Ticket:
    """A ticket of the survey after the walk, valid for some days."""
    expires_at = datetime.now(UTC) + timedelta(days=days)
    return Ticket(FORCE, SurveyName.AFTER_WALK, pair_id or uuid4(), contact, expires_at)
