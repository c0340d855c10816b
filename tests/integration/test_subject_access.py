"""A copy of what is held: all of it, opened, made on the spot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from services.intake.domain.access import EXPORTED
from services.intake.handlers.hers import PRIVATE_LINK
from services.intake.store import requests as request_rows
from tests.integration.test_intake_pages import csrf_of
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, intake_service


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


async def test_she_downloads_all_that_is_held(intake: Intake) -> None:
    """Name, address, rules, what she wanted, answers that wait, messages, her concerns and the log; and nobody else's.
    Each column that is to be in it stands there by its name."""
    asked = await intake.ask(
        name="Marked Ceridwen",
        contact={"email": "marked@example.com", "phone": "07700 900111", "channels": ["email", "text"]},
        words="Marked words",
        baseline={"safe-after-dark": "very-unsafe"},
    )
    await intake.ask(
        name="Another Woman", contact={"email": "another@example.com"}, baseline={"safe-by-day": "very-safe"}
    )
    concern = uuid4()
    await intake.walk_of(asked["request_id"], (concern,))
    page = "/your-request/" + intake.deps.keeping.vault.seal_text(PRIVATE_LINK, [FORCE, UUID(asked["request_id"]).hex])
    async with intake.client() as client:
        shown = await client.get(f"{page}/copy")
        assert "Marked" not in shown.text
        answer = await client.post(f"{page}/copy", data={"csrf_token": csrf_of(shown)})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    for mark in ("Marked Ceridwen", "marked@example.com", "900111", "Marked words", "very-unsafe", str(concern)):
        assert mark in answer.text, mark
    assert asked["reference"] in answer.text
    assert "another@example.com" not in answer.text and "very-safe" not in answer.text
    held = answer.json()["held"]
    for table, columns in EXPORTED.items():
        for row in held["message" if table == "sending" else table]:
            found = row["sending"] if table == "sending" else row
            assert set(columns) <= set(found), table
    assert held["message"] and held["audit"] and held["waiting_baseline"]
    assert held["audit"][-1]["action"] == "disclosed"
    pair = await _pair(intake, asked["request_id"])
    assert str(pair) not in answer.text and pair.hex not in answer.text


async def _pair(intake: Intake, request_id: str) -> UUID:
    async with intake.database.web.transaction([FORCE]) as tx:
        stored = (await request_rows.requests(tx, [UUID(request_id)]))[UUID(request_id)]
    key = intake.deps.keeping.vault.data_key(stored.key, str(stored.held.participant_id))
    return UUID(key.open(stored.pair, f"pair of {request_id}"))
