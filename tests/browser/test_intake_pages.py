"""The request form, her private page and the contact card in a browser: on a phone, by keyboard, with no JavaScript."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast
from uuid import UUID, uuid4

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from services.intake.app import build
from services.intake.dependencies import Dependencies
from services.intake.handlers.hers import her_request, private_link
from services.intake.handlers.walks import take_requests
from shared.contracts.envelope import Received
from shared.contracts.walks import WalkTaken
from shared.database import Database, Transaction
from shared.embedded.processes import free_port
from shared.web.access import Role
from tests.browser.conftest import WatchedPage
from tests.servers.databases import ServiceDatabase, beside
from tests.servers.forces_folder import forces_folder
from tests.servers.intake_service import FORCE, a_body, settings_of
from tests.servers.served import served
from tests.servers.spoken import before, speaker
from tests.servers.visitors import a_user, cookies_of
from tests.servers.welsh import WELSH

T = TypeVar("T")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def service(database_for_browser: Callable[[str], ServiceDatabase]) -> ServiceDatabase:
    return database_for_browser("intake")


@pytest.fixture
def app(service: ServiceDatabase, port: int, tmp_path: Path) -> FastAPI:
    """The pages of a force that offers them in Welsh too."""
    forces_dir = forces_folder(tmp_path, WELSH)
    return build(settings_of(service, intake_url=f"http://localhost:{port}", forces_dir=forces_dir))


@pytest.fixture
def origin(app: FastAPI, port: int) -> Iterator[str]:
    with served(app, port) as url:
        yield url


PICTURES = os.environ.get("PICTURES")
"""A folder for pictures of pages, where somebody wants to look at them."""


def taken_picture(page: Page, name: str, width: int = 0) -> None:
    """As the page is, or as wide as is said: at 320 px words are the most likely not to fit."""
    if PICTURES and width:
        page.set_viewport_size({"width": width, "height": 800})
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}{f'-{width}' if width else ''}.png", full_page=True)


def assert_decent(page: Page) -> None:
    """Axe finds nothing, and on no screen has anything to be scrolled sideways."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


ANSWERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Are you a woman aged 18 or over?", ("Yes",)),
    ("Who is filling in this form?", ("I am, and the walk is for me",)),
    ("Where would you like to walk?", ("#postcode=BS1 4DJ",)),
    ("Should the walk pass other places too?", ("#stops=BS1 5TR",)),
    ("Do you live, work or study near there?", ("Yes",)),
    ("What makes you feel unsafe there?", ("It is badly lit",)),
    ("Is there anything you would like to tell the officer before the walk?", ("#words=The lamps are out",)),
    ("Which days would suit you?", ("Monday", "Friday")),
    ("What time of day would you like to walk?", ("Evening, after 5pm",)),
    ("From which day on?", ()),
    ("Is there anything that would make the walk easier for you?", ()),
    ("Which language would you like to speak?", ()),
    ("What should we call you?", ("#name=Ada",)),
    ("How is it safe to contact you?", ("Email", "Phone call")),
    ("What is your email address?", ("#email=ada@example.com",)),
    ("What is your phone number?", ("#phone=07700 900982",)),
    ("When is it safe to contact you?", ("Evening, after 5pm",)),
    ("May we say that we are the police?", ("No, do not say who you are or why until you know it is me",)),
    ("May we leave a voicemail?", ("No",)),
    ("Would you like an entry for your calendar?", ("No",)),
    ("How will you know that it is the officer?", ("#recognise=marmalade",)),
    ("Is there an officer who must not be involved?", ()),
    ("Is there a neighbourhood team that must not be involved?", ()),
    ("How safe you feel, before the walk", ("Yes",)),
    ("How safe do you feel walking alone in this area after dark?", ("Very unsafe",)),
)

ONE_OF_EACH_KIND = {
    "Where would you like to walk?",
    "Should the walk pass other places too?",
    "What makes you feel unsafe there?",
    "Is there anything you would like to tell the officer before the walk?",
    "From which day on?",
    "May we say that we are the police?",
    "Is there an officer who must not be involved?",
    "How safe you feel, before the walk",
}


@pytest.mark.parametrize(("language", "script"), [("en", True), ("cy", True), ("cy", False)])
def test_a_woman_asks_for_a_walk(origin: str, watched_page: WatchedPage, language: str, script: bool) -> None:
    """From the start page to her reference, every page accessible, kept to itself and silent in the history."""
    watched = watched_page(origin, 375, java_script_enabled=script)
    page, say = watched.page, speaker(language)
    page.goto(f"{origin}{before(language)}/")
    page.locator(f'a[href="{before(language)}/{FORCE}/"]').click()
    assert page.locator("html").get_attribute("lang") == language
    if script:
        assert_decent(page)
        taken_picture(page, f"start-{language}", 320)
    page.get_by_role("button", name=say("Start now")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(say("How to leave these pages quickly"))
    if script:
        assert_decent(page)
    page.get_by_role("button", name=say("Continue")).click()
    for heading, given in ANSWERS:
        expect(page.get_by_role("heading", level=1)).to_contain_text(say(heading))
        tells = "walk|police|safe|officer|heddlu|tro|diogel|swyddog"
        assert not re.search(tells, page.title() + page.url.removeprefix(origin), re.IGNORECASE)
        for one in given:
            if one.startswith("#"):
                if script and one.startswith("#stops"):
                    page.get_by_text(say("Enter it as text instead")).click()
                page.fill(*one.split("=", 1))
            else:
                page.get_by_label(say(one), exact=True).check()
        if script and heading in ONE_OF_EACH_KIND:
            assert_decent(page)
            taken_picture(page, f"{page.url.partition('/request/')[2]}-{language}", 320)
        page.get_by_role("button", name=say("Continue")).click()
    for _ in range(6):
        page.get_by_role("button", name=say("Continue")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(say("Equality questions"))
    if script:
        assert_decent(page)
    page.get_by_label(say("Yes"), exact=True).check()
    for _ in range(8):
        page.get_by_role("button", name=say("Continue")).click()
    expect(page.get_by_role("heading", name=say("Check your answers"))).to_be_visible()
    page.locator("#consent").check()
    if script:
        assert_decent(page)
        taken_picture(page, f"check-{language}", 320)
    page.get_by_role("button", name=say("Send request")).click()
    expect(page.get_by_role("main")).to_contain_text(re.compile("WT-[A-Z0-9]{4}-[A-Z0-9]{4}"))
    if script:
        assert_decent(page)
        watched.assert_kept_to_itself()
    page.go_back()
    assert "07700" not in page.content()


def test_what_is_missing_is_said_where_she_is(origin: str, watched_page: WatchedPage) -> None:
    """The error summary has the focus, and its link leads to the field."""
    page = watched_page(origin, 375).page
    page.goto(f"{origin}/{FORCE}/request/eligibility")
    page.get_by_role("button", name="Continue").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Select yes if you are a woman aged 18 or over")
    assert_decent(page)
    summary.get_by_role("link").click()
    expect(page.get_by_label("Yes", exact=True)).to_be_focused()


def test_the_form_is_filled_by_keyboard_alone(origin: str, watched_page: WatchedPage) -> None:
    """Arrows choose, Enter sends, and what was typed is there again on the way back."""
    page = watched_page(origin).page
    page.goto(f"{origin}/{FORCE}/request/eligibility")
    page.get_by_label("Yes", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_label("I am, and the walk is for me").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.locator("#postcode").focus()
    page.keyboard.type("bs14dj")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Should the walk pass other places too?")
    page.get_by_role("link", name="Back", exact=True).click()
    expect(page.locator("#postcode")).to_have_value("BS1 4DJ")


def asked(origin: str) -> UUID:
    """A request by the API; its id."""
    answer = httpx.post(
        f"{origin}/api/v1/walk-requests",
        json=a_body(contact={"may_say_police": False}),
        headers={"Idempotency-Key": uuid4().hex},
    )
    return UUID(answer.json()["request_id"])


def inside(service: ServiceDatabase, work: Callable[[Transaction], Awaitable[T]]) -> T:
    """What the service does beside the browser, in a transaction of its own."""

    async def run() -> T:
        database = Database(service.web_url)
        await database.open()
        try:
            async with database.transaction([FORCE]) as tx:
                return await work(tx)
        finally:
            await database.close()

    return beside(run())


def test_her_private_page_is_accessible_and_stops_contact(
    app: FastAPI, origin: str, service: ServiceDatabase, watched_page: WatchedPage
) -> None:
    """One button, at once, and the page says so."""
    request_id, deps = asked(origin), cast(Dependencies, app.state.dependencies)

    async def link(tx: Transaction) -> str:
        held = (await her_request(tx, request_id, keeping=deps.keeping)).held
        return private_link(deps.keeping, held)

    watched = watched_page(origin, 375)
    page = watched.page
    page.goto(inside(service, link))
    assert_decent(page)
    page.get_by_role("button", name="Stop all contact").click()
    expect(page.get_by_role("main")).to_contain_text("Nobody will write to you or call you")
    assert_decent(page)
    watched.assert_kept_to_itself()


def test_the_contact_card_is_accessible_and_shows_rules_first(
    app: FastAPI, origin: str, service: ServiceDatabase, watched_page: WatchedPage
) -> None:
    """Rules and a question; then who she is, and the warning still on top."""
    request_id, user = asked(origin), a_user(Role.OFFICER, force_id=FORCE)
    taken = WalkTaken(walk_id=uuid4(), request_ids=(request_id,), officer_id=user.sub, team_id="bs1")
    now = datetime.now(UTC)
    received = Received(taken, uuid4(), FORCE, now, 1, None)
    inside(service, lambda tx: take_requests(tx, [received], now))
    watched = watched_page(origin, 375, cookies=cookies_of(app, user))
    page = watched.page
    page.goto(f"{origin}/staff/requests/{request_id}/contact")
    expect(page.get_by_role("main")).to_contain_text("Do not say that you are the police")
    expect(page.get_by_role("main")).not_to_contain_text("ada@example.com")
    assert_decent(page)
    page.get_by_label("Why do you need to contact her?").fill("To arrange the walk")
    page.get_by_role("button", name="Open the contact card").click()
    expect(page.get_by_role("main")).to_contain_text("ada@example.com")
    assert_decent(page)
    watched.assert_kept_to_itself()
