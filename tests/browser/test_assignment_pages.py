"""An officer's way through the pages of walks, on a phone and on a desk, with JavaScript and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from services.assignment.app import build
from services.assignment.handlers import follow_ups as following_up
from services.assignment.settings import Settings
from shared.contracts.kinds import Urgency
from shared.contracts.walk_requests import ContactWanted
from shared.database import Query
from shared.embedded.processes import free_port
from tests.browser.conftest import WatchedPage
from tests.servers.assignment_service import (
    AT_SEA,
    COORDINATOR,
    FORCE,
    OFFICER,
    ask_for_a_walk,
    assignment_settings,
    bus_side,
    received,
)
from tests.servers.databases import ServiceDatabase, beside
from tests.servers.served import served
from tests.servers.visitors import cookies_of


@dataclass(frozen=True)
class Site:
    """The running service, and walks of every kind in it."""

    app: FastAPI
    origin: str
    waiting: str
    stopped: str
    triage: str
    follow_up: str


@pytest.fixture
def site(database_for_browser: Callable[[str], ServiceDatabase], tmp_path: Path) -> Iterator[Site]:
    settings = assignment_settings(database_for_browser("assignment"), tmp_path)
    waiting, stopped, triage, follow_up = beside(fill(settings))
    app = build(settings)
    with served(app, free_port()) as origin:
        yield Site(app, origin, waiting, stopped, triage, follow_up)


async def fill(settings: Settings) -> tuple[str, str, str, str]:
    """One walk to take, one of a woman who must not be contacted, one without an area, one overdue follow-up."""
    now = datetime.now(UTC)
    async with bus_side(settings) as deps:
        await deps.take_registers()
        waiting = await ask_for_a_walk(deps, at=now - timedelta(days=20))
        stopped = await ask_for_a_walk(deps, stopped=True)
        triage = await ask_for_a_walk(deps, place=AT_SEA)
        async with deps.bus_database.transaction([FORCE]) as tx:
            query = Query("request", "", "SELECT id FROM request WHERE walk_id = $1")
            request_id: UUID = await tx.fetch_value(query, UUID(waiting))
            wanted = ContactWanted(request_id=request_id, contact_id=uuid4(), urgency=Urgency.SAME_DAY)
            ago = now - timedelta(days=9)
            await following_up.open_follow_ups(tx, [received(wanted)], ago, policies=deps.policies)
            follow_up = await tx.fetch_value(Query("follow_up", "", "SELECT id FROM follow_up"))
    return waiting, stopped, triage, str(follow_up)


def assert_decent(page: Page) -> None:
    """Axe finds nothing, and on no screen has anything to be scrolled sideways."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (page.url, width)


@pytest.mark.parametrize("script", [True, False])
def test_an_officer_takes_arranges_and_records_a_walk(site: Site, watched_page: WatchedPage, script: bool) -> None:
    """From the queue to the record, each page accessible and kept to itself, with and without JavaScript."""
    watched = watched_page(site.origin, 375, cookies_of(site.app, OFFICER, "bound"), java_script_enabled=script)
    page = watched.page

    def look() -> None:
        if script:
            assert_decent(page)

    page.goto(site.origin + "/")
    look()
    page.get_by_role("link", name="2 walks wait for an officer of your team").click()
    look()
    page.get_by_role("heading", name="BS1").first.get_by_role("link").click()
    look()
    page.get_by_role("button", name="Take this walk").click()
    expect(page.get_by_text("The walk is yours to arrange.")).to_be_visible()
    page.get_by_role("button", name="Arrange the walk").click()
    page.get_by_role("button", name="Arrange the walk").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    look()
    page.get_by_label("Day").fill(f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}")
    page.get_by_label("Time you will meet").fill("18:30")
    page.get_by_label("Where you will meet").fill("The main entrance of the library")
    page.get_by_role("button", name="Arrange the walk").click()
    expect(page.get_by_text("at 6:30pm")).to_be_visible()
    look()
    page.get_by_role("button", name="Record the walk").click()
    look()
    for words, about in (("Two of the four lamps are broken; ask Mrs Jones", "Badly lit"), ("", "Being followed")):
        page.get_by_label("What it is about").select_option(label=about)
        page.get_by_label("What she said (optional)").fill(words)
        page.get_by_role("button", name="Note the concern").click()
        if script:
            expect(page.locator("[data-record][data-stored-now='1']")).to_be_attached(timeout=30_000)
            page.reload()
    expect(page.get_by_role("heading", name="2. Being followed")).to_be_visible()
    look()
    page.get_by_role("link", name="Change concern 1").click()
    look()
    page.get_by_label("What she said (optional)").fill("Two of the four lamps are broken; ask Mrs Jones there")
    page.get_by_role("button", name="Save the concern").click()
    expect(page.get_by_text("The concern was changed.")).to_be_visible()
    page.get_by_label("Day of the walk").fill(f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}")
    page.get_by_label("Started at").fill("10:00")
    page.get_by_label("Ended at").fill("10:45")
    page.get_by_role("group", name="Did you show her StreetSafe?").get_by_label("Yes").check()
    page.get_by_role("button", name="Save the record").click()
    page.get_by_role("button", name="Check what partners will see").click()
    expect(page.get_by_role("heading", name="Concern 2, as partners will see it")).to_be_visible()
    expect(page.get_by_text("It seems to hold a name.")).to_be_visible()
    expect(page.locator("mark")).to_have_text("Mrs Jones (perhaps a name)")
    look()
    page.get_by_role("button", name="Close the walk").click()
    expect(page.get_by_role("link", name="Select yes if an alleged crime or intelligence came up")).to_be_visible()
    page.get_by_label("Pass concern 1 on to partners").check()
    page.get_by_role("group", name="Did an alleged crime or intelligence come up?").get_by_label("No").check()
    page.get_by_role("button", name="Close the walk").click()
    expect(page.get_by_text("The walk was recorded.")).to_be_visible()
    expect(page.get_by_text("Two of the four lamps are broken")).to_be_visible()
    look()
    watched.assert_kept_to_itself()


def test_a_coordinator_finds_what_is_late_and_what_needs_an_area(site: Site, watched_page: WatchedPage) -> None:
    """Triage, the area by hand, giving a walk to an officer, follow-ups: each page accessible."""
    watched = watched_page(site.origin, 1280, cookies_of(site.app, COORDINATOR, "bound"))
    page = watched.page
    page.goto(site.origin + "/")
    expect(page.get_by_text("1 overdue")).to_be_visible()
    assert_decent(page)
    page.goto(site.origin + "/triage")
    assert_decent(page)
    page.goto(f"{site.origin}/walks/{site.triage}")
    page.get_by_role("button", name="Choose an area").click()
    assert_decent(page)
    page.get_by_label("Area").select_option("bs7")
    page.get_by_role("button", name="Give it to this area’s team").click()
    expect(page.get_by_text("The walk now waits in the team’s queue.")).to_be_visible()
    page.get_by_label("Officer").select_option(label="PC Claire Dunn")
    page.get_by_role("button", name="Give the walk to this officer").click()
    expect(page.get_by_text("The walk was given to the officer.")).to_be_visible()
    assert_decent(page)
    page.goto(f"{site.origin}/walks/{site.stopped}")
    expect(page.get_by_text("Do not contact her.")).to_be_visible()
    assert_decent(page)
    page.goto(f"{site.origin}/follow-ups/{site.follow_up}")
    assert_decent(page)
    page.get_by_role("radio", name="She was reached").check()
    page.get_by_role("button", name="Complete the follow-up").click()
    expect(page.get_by_text("The follow-up was completed.")).to_be_visible()
    expect(page.get_by_text("No follow-ups are waiting.")).to_be_visible()
    watched.assert_kept_to_itself()
