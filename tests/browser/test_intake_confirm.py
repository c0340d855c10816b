"""A request that waits to be confirmed, in a browser: by the link and by the code of the message, wrong and right."""

from __future__ import annotations

from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import expect

from services.intake.app import build
from services.intake.dependencies import Dependencies
from services.intake.handlers.messages import message_to_send
from services.intake.pages.confirm import CODE_WRONG, MESSAGES
from shared.database import Transaction
from tests.browser.conftest import WatchedPage
from tests.browser.test_intake_hers import taken_picture
from tests.browser.test_intake_pages import assert_decent, inside, origin, port, service
from tests.servers.databases import ServiceDatabase
from tests.servers.forces_folder import forces_folder
from tests.servers.intake_service import FORCE, a_body, settings_of
from tests.servers.spoken import before, speaker
from tests.servers.welsh import WELSH

__all__ = ["origin", "port", "service"]


@pytest.fixture
def app(service: ServiceDatabase, port: int, tmp_path: Path) -> FastAPI:
    """A force that asks for every request to be confirmed."""
    forces = forces_folder(tmp_path, {FORCE: {**WELSH[FORCE], "requests": {"confirm": "email-or-text"}}})
    return build(settings_of(service, intake_url=f"http://localhost:{port}", forces_dir=forces))


def waiting(origin: str, service: ServiceDatabase, deps: Dependencies) -> tuple[str, str, str]:
    """A request that waits: its reference, and the link and the code of the message that asks her to confirm it."""
    asked = httpx.post(f"{origin}/api/v1/walk-requests", json=a_body(), headers={"Idempotency-Key": uuid4().hex}).json()

    async def told(tx: Transaction) -> tuple[str, str]:
        [row] = await tx.connection.fetch("SELECT id FROM message WHERE request_id = $1", UUID(asked["request_id"]))
        found = await message_to_send(tx, FORCE, row["id"], deps.clock(), keeping=deps.keeping)
        facts = found.facts  # type: ignore[union-attr] # nothing here keeps it back
        return str(facts["link"]), str(facts["code"])

    return asked["reference"], *inside(service, told)


@pytest.mark.parametrize(("language", "script"), [("en", True), ("cy", True), ("cy", False)])
def test_she_confirms_her_request_by_link_and_by_code(
    app: FastAPI, origin: str, service: ServiceDatabase, watched_page: WatchedPage, language: str, script: bool
) -> None:
    """With and without scripts, on every screen: what is missing or wrong is said at its field, what was typed is still
    there, and nothing on the way says who she is or leaves the origin."""
    deps = cast(Dependencies, app.state.dependencies)
    watched = watched_page(origin, 375, java_script_enabled=script)
    page, say = watched.page, speaker(language)
    main = page.get_by_role("main")

    def look(name: str) -> None:
        if script:
            assert_decent(page)
            taken_picture(page, f"{name}-{language}", 320)
        expect(main).not_to_contain_text("Ada")

    _, link, _ = waiting(origin, service, deps)
    page.goto(link.replace("/confirm/", f"{before(language)}/confirm/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(say("Confirm your request"))
    look("confirm-link")
    page.get_by_role("button", name=say("Confirm"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(say("Your request is confirmed"))
    look("confirmed-link")

    reference, _, code = waiting(origin, service, deps)
    page.goto(f"{origin}{before(language)}/{FORCE}/request/confirm")
    look("confirm-code")
    page.get_by_role("button", name=say("Confirm"), exact=True).click()
    for message in MESSAGES.values():
        expect(page.get_by_role("alert")).to_contain_text(say(message))
    page.get_by_label(say("Reference")).fill(reference)
    page.get_by_label(say("Six figures")).fill("000000" if code != "000000" else "111111")
    page.get_by_role("button", name=say("Confirm"), exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(say(CODE_WRONG))
    expect(page.get_by_label(say("Reference"))).to_have_value(reference)
    look("confirm-code-wrong")
    page.get_by_label(say("Six figures")).fill(code)
    page.get_by_role("button", name=say("Confirm"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(say("Your request is confirmed"))
    look("confirmed-code")
    assert page.url.startswith(f"{origin}{before(language)}/")
    watched.assert_kept_to_itself()
