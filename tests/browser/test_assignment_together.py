"""Pages of second officers, groups, walks not held, officers not back and the calendar, in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import expect

from shared.database import Query
from tests.browser.conftest import WatchedPage
from tests.browser.test_assignment_pages import Site, assert_decent, site
from tests.servers.assignment_service import COLLEAGUE, COORDINATOR, FORCE, OFFICER, bus_side
from tests.servers.databases import beside
from tests.servers.visitors import cookies_of

__all__ = ["site"]

LATE = """
UPDATE walk SET starts_at = now() - interval '3 hours', busy_until = now() - interval '2 hours',
    check_in_at = now() - interval '1 hour'
WHERE id = $1
"""


async def begun(site: Site) -> None:
    """Three hours pass for the walk."""
    async with (
        bus_side(site.app.state.dependencies.settings) as deps,
        deps.bus_database.transaction([FORCE]) as tx,
    ):
        await tx.run(Query("late", "", LATE), UUID(site.waiting))


@pytest.mark.parametrize("script", [True, False])
def test_a_walk_with_a_second_officer_that_was_not_held(site: Site, watched_page: WatchedPage, script: bool) -> None:
    """From the calendar to the board of officers not back, each page accessible and for the thumb."""
    watched = watched_page(site.origin, 375, cookies_of(site.app, OFFICER, "bound"), java_script_enabled=script)
    page = watched.page

    def look() -> None:
        if script:
            assert_decent(page)

    page.goto(f"{site.origin}/walks/{site.waiting}")
    page.get_by_role("button", name="Take this walk").click()
    page.get_by_role("button", name="Arrange the walk").click()
    page.get_by_label("Day").fill(f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}")
    page.get_by_label("Time you will meet").fill("18:30")
    page.get_by_label("Where you will meet").fill("The library")
    page.get_by_role("button", name="Arrange the walk").click()
    page.get_by_role("link", name="Bring a second officer").click()
    look()
    page.get_by_label("Who comes along").select_option(label=COLLEAGUE.name)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The officer comes along.")).to_be_visible()
    look()
    page.goto(f"{site.origin}/walks/{site.waiting}/group")
    expect(page.get_by_text("Nobody of this team waits")).to_be_visible()
    look()
    page.goto(site.origin + "/calendar")
    look()
    page.get_by_role("button", name="Make an address").click()
    assert page.get_by_label("The address").input_value().endswith(".ics")
    look()
    beside(begun(site))
    page.goto(f"{site.origin}/walks/{site.waiting}")
    look()
    page.get_by_role("link", name="The walk did not take place").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    look()
    boss = watched_page(site.origin, 375, cookies_of(site.app, COORDINATOR, "bound"), java_script_enabled=script).page
    boss.goto(site.origin + "/check-ins")
    expect(boss.get_by_text(OFFICER.name)).to_be_visible()
    if script:
        assert_decent(boss)
    page.get_by_label("She did not come").check()
    page.get_by_label("We try again").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Arrange the walk again.")).to_be_visible()
    look()
    boss.reload()
    expect(boss.get_by_text("Everybody is back, or not yet due.")).to_be_visible()
