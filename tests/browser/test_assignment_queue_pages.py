"""Suggestions, attempts, a walk passed on, what is escalated, how one is told: on a phone and on a desk."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import WatchedPage
from tests.browser.test_assignment_pages import Site, assert_decent, site
from tests.servers.assignment_service import COORDINATOR, OFFICER
from tests.servers.visitors import cookies_of

__all__ = ["site"]

PICTURES = os.environ.get("WALKANDTALK_PICTURES")
"""A folder for pictures of pages, where somebody wants to look at them."""


def look(page: Page, name: str) -> None:
    """Axe finds nothing, nothing has to be scrolled sideways; a picture of each width where one is wanted."""
    assert_decent(page)
    if PICTURES:
        for width in (375, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


def test_a_walk_is_suggested_tried_passed_on_and_escalated(site: Site, watched_page: WatchedPage) -> None:
    """An officer takes it, fills in the suggested times, logs an attempt, gives it back and asks a coordinator."""
    watched = watched_page(site.origin, 375, cookies_of(site.app, OFFICER, "bound"))
    page = watched.page
    page.goto(f"{site.origin}/walks/{site.waiting}")
    expect(page.get_by_role("heading", name="When you could walk")).to_be_visible()
    look(page, "walk-waiting")
    page.get_by_role("button", name="Take this walk").click()
    look(page, "walk-taken")
    page.get_by_role("link", name="Propose these times to her").click()
    expect(page.get_by_text("The suggested times are filled in.")).to_be_visible()
    assert page.get_by_label("Day").first.input_value()
    look(page, "propose-suggested")
    page.goto(f"{site.origin}/walks/{site.waiting}")
    page.get_by_role("link", name="Attempts to reach her").click()
    page.get_by_role("button", name="Log the attempt").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    look(page, "attempts")
    page.get_by_role("radio", name="Email").check()
    page.get_by_role("radio", name="Sent").check()
    page.get_by_role("button", name="Log the attempt").click()
    expect(page.get_by_text("The attempt was logged.")).to_be_visible()
    for link, button, name in (
        ("Hand it to another officer", "Hand this walk to another officer", "pass-on-officer"),
        ("Hand it to another team", "Hand this walk to another team", "pass-on-team"),
        ("Give it back to the team", "Give this walk back", "give-back"),
    ):
        page.goto(f"{site.origin}/walks/{site.waiting}")
        page.get_by_role("link", name=link).click()
        look(page, name)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    page.get_by_role("radio", name="Workload").check()
    page.get_by_role("button", name="Give this walk back").click()
    page.get_by_role("link", name="Ask a coordinator to see to it").click()
    page.get_by_role("radio", name="Needs a decision").check()
    page.get_by_role("button", name="Ask a coordinator to see to this walk").click()
    expect(page.get_by_text("The walk was passed on.")).to_be_visible()
    look(page, "walk-passed-on")
    page.goto(f"{site.origin}/telling")
    look(page, "telling")
    page.get_by_label("Your work email address").fill("amina@police.example")
    page.get_by_role("radio", name="At once").check()
    page.get_by_label("From").fill("22:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    page.get_by_label("To", exact=True).fill("07:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("You will be told as you chose.")).to_be_visible()
    watched.assert_kept_to_itself()


def test_a_coordinator_sees_what_nobody_took_and_gives_it_with_one_button(
    site: Site, watched_page: WatchedPage
) -> None:
    """The list, the walk with its suggestions, one button; then the list is empty."""
    watched = watched_page(site.origin, 1280, cookies_of(site.app, COORDINATOR, "bound"))
    page = watched.page
    page.goto(f"{site.origin}/walks/{site.waiting}/pass-on/to-coordinator")
    page.get_by_role("radio", name="Another reason").check()
    page.get_by_role("button", name="Ask a coordinator to see to this walk").click()
    page.goto(f"{site.origin}/escalated")
    look(page, "escalated")
    page.get_by_role("heading", name="BS1").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Who could walk, and when")).to_be_visible()
    look(page, "walk-suggestions")
    page.get_by_role("button", name="Give the walk to PC").first.click()
    expect(page.get_by_text("The walk was given to the officer.")).to_be_visible()
    page.goto(f"{site.origin}/escalated")
    expect(page.get_by_text("No walk waits for a coordinator.")).to_be_visible()
    look(page, "escalated-empty")
    watched.assert_kept_to_itself()
