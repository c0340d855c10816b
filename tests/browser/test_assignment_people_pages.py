"""The pages of people and training in Chromium, as a coordinator and an officer see them: decent and kept to itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from services.assignment.app import build
from services.assignment.settings import Settings
from shared.embedded.processes import free_port
from tests.browser.conftest import WatchedPage
from tests.browser.test_assignment_pages import assert_decent
from tests.servers.assignment_service import COORDINATOR, OFFICER, ask_for_a_walk, assignment_settings, bus_side
from tests.servers.databases import ServiceDatabase, beside
from tests.servers.served import served
from tests.servers.visitors import cookies_of

PICTURES = os.environ.get("PICTURES")
"""A folder for pictures of pages, where somebody wants to look at them."""


@dataclass(frozen=True)
class Site:
    """The running service."""

    app: FastAPI
    origin: str


@pytest.fixture
def site(database_for_browser: Callable[[str], ServiceDatabase], tmp_path: Path) -> Iterator[Site]:
    settings = assignment_settings(database_for_browser("assignment"), tmp_path)
    beside(fill(settings))
    app = build(settings)
    with served(app, free_port()) as origin:
        yield Site(app, origin)


async def fill(settings: Settings) -> None:
    """The register of the demo, and a walk."""
    async with bus_side(settings) as deps:
        await deps.take_registers()
        await ask_for_a_walk(deps)


def look(page: Page, name: str) -> None:
    """Decent; and a picture on a phone and on a desk, where somebody wants one."""
    assert_decent(page)
    if PICTURES:
        for width in (375, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)


def test_a_coordinator_keeps_people_and_training(site: Site, watched_page: WatchedPage, tmp_path: Path) -> None:
    """From the list to an entry, a session and its ticks, and a spreadsheet with a fault: each page accessible."""
    watched = watched_page(site.origin, 375, cookies_of(site.app, COORDINATOR, "bound"))
    page = watched.page
    page.goto(site.origin + "/people")
    look(page, "people")
    page.get_by_label("Name or id").fill("bronwen")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="PC Bronwen Rees").click()
    expect(page.get_by_text("This officer has not had the training session yet.")).to_be_visible()
    look(page, "person")
    page.get_by_role("link", name="Change the entry").click()
    look(page, "person-change")
    page.get_by_label("Rank and name").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Enter rank and name")).to_be_visible()
    look(page, "person-change-wrong")
    page.goto(site.origin + "/training")
    look(page, "training")
    page.get_by_role("link", name="Record a session").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Enter what the session is called")).to_be_visible()
    look(page, "training-new-wrong")
    page.get_by_label("What it is called").fill("Teams, November")
    page.get_by_label("Day").fill(f"{datetime.now(UTC):%Y-%m-%d}")
    page.get_by_label("Online").check()
    for topic in ("How the scheme works", "Frequent questions", "StreetSafe"):
        page.get_by_label(topic).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The session was recorded.")).to_be_visible()
    page.get_by_label("PC Bronwen Rees").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Who was there was saved.")).to_be_visible()
    expect(page.get_by_label("PC Bronwen Rees")).to_be_checked()
    look(page, "training-session")
    page.goto(site.origin + "/people/import")
    look(page, "import")
    sheet = tmp_path / "officers.csv"
    sheet.write_text("officer_id;name;kind;team\npc-1;PC Ffion Ŵyn;officer;bs1\npc-2;B;dragon;bs1\n", "utf-8-sig")
    page.get_by_label("CSV file").set_input_files(sheet)
    page.get_by_label("Take all of it over, if no row is wrong").check()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("link", name="Nothing was taken over")).to_be_visible()
    expect(page.get_by_text("must be officer, pcso or dedicated-ward-officer")).to_be_visible()
    look(page, "import-report")
    watched.assert_kept_to_itself()


@pytest.mark.parametrize("script", [True, False])
def test_an_officer_says_when_she_can_walk(site: Site, watched_page: WatchedPage, script: bool) -> None:
    """Times of the week, days away, languages: on a phone, with and without JavaScript."""
    watched = watched_page(site.origin, 375, cookies_of(site.app, OFFICER, "bound"), java_script_enabled=script)
    page = watched.page
    page.goto(site.origin + "/my-availability")
    expect(page.get_by_text("Nothing is entered yet.")).to_be_visible()
    page.get_by_role("button", name="Add these times").click()
    expect(page.get_by_role("link", name="Select at least one day of the week")).to_be_visible()
    if script:
        look(page, "my-availability-wrong")
    for day in ("Monday", "Friday"):
        page.get_by_label(day).check()
    page.get_by_label("From", exact=True).fill("06:30")
    page.get_by_label("Until", exact=True).fill("08:30")
    page.get_by_role("button", name="Add these times").click()
    expect(page.get_by_text("Friday, 6:30 to 8:30").first).to_be_visible()
    page.get_by_label("First day away").fill(f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}")
    page.get_by_role("button", name="Add days away").click()
    expect(page.get_by_text("The days away were changed.")).to_be_visible()
    page.get_by_label("Welsh").check()
    page.get_by_role("button", name="Save languages").click()
    expect(page.get_by_text("English, Welsh")).to_be_visible()
    page.get_by_role("button", name="Remove Monday, 6:30 to 8:30").click()
    expect(page.get_by_text("The availability was changed.")).to_be_visible()
    expect(page.get_by_text("Monday, 6:30 to 8:30")).to_have_count(0)
    if script:
        look(page, "my-availability")
    watched.assert_kept_to_itself()
