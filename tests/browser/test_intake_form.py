"""The whole request form by keyboard alone, left at once from any page, and filled in by somebody who helps her."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, Route, expect

from shared.web.access import Role
from tests.browser.conftest import WatchedPage
from tests.browser.test_intake_pages import ANSWERS, app, assert_decent, origin, port, service
from tests.servers.intake_service import FORCE
from tests.servers.spoken import before, speaker
from tests.servers.visitors import a_user, cookies_of

PAGES = {"", "request/before", "request/eligibility", "request/not-eligible"}


__all__ = ["app", "origin", "port", "service"]

FOCUSED = "(at => at.matches('button, a, summary') ? at.innerText.trim() : at.id)(document.activeElement)"


def focused(page: Page) -> str:
    """What has the focus: the words of a button or link, the id of a field."""
    return str(page.evaluate(FOCUSED))


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until this button, link or field has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == wanted:
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def go_on(page: Page, button: str) -> None:
    """By Tab to the button, by Enter to the next page."""
    tab_to(page, button)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def choose(page: Page, label: str) -> None:
    """By Tab to the group or the box, by arrows within radios, by Space."""
    box = page.get_by_label(label, exact=True)
    wanted = box.get_attribute("id") or ""
    if box.get_attribute("type") == "checkbox":
        tab_to(page, wanted)
        page.keyboard.press("Space")
    else:
        tab_to(page, box.get_attribute("name") or "")
        page.keyboard.press("Space")
        while focused(page) != wanted:
            page.keyboard.press("ArrowDown")
    expect(box).to_be_checked()


@pytest.mark.parametrize("language", ["en", "cy"])
def test_a_woman_asks_for_a_walk_by_keyboard_alone(origin: str, watched_page: WatchedPage, language: str) -> None:
    """From the start page to her reference, every field and button reached with Tab."""
    watched = watched_page(origin, 1280)
    page, say = watched.page, speaker(language)
    page.goto(f"{origin}{before(language)}/{FORCE}/")
    for button in ("Start now", "Continue"):
        go_on(page, say(button))
    for heading, given in ANSWERS:
        expect(page.get_by_role("heading", level=1)).to_contain_text(say(heading))
        for one in given:
            if one.startswith("#"):
                field, _, text = one.removeprefix("#").partition("=")
                if field == "stops":
                    tab_to(page, say("Enter it as text instead"))
                    page.keyboard.press("Enter")
                tab_to(page, field)
                page.keyboard.type(text)
            else:
                choose(page, say(one))
        go_on(page, say("Continue"))
    for _ in range(6):
        go_on(page, say("Continue"))
    choose(page, say("No, go on without them"))
    go_on(page, say("Continue"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(say("Check your answers"))
    tab_to(page, "consent")
    page.keyboard.press("Space")
    go_on(page, say("Send request"))
    expect(page.get_by_role("main")).to_contain_text(re.compile("WT-[A-Z0-9]{4}-[A-Z0-9]{4}"))
    watched.assert_kept_to_itself()


@pytest.mark.parametrize("by", ["click", "three times Shift", "a link where nothing is scripted"])
def test_every_page_of_the_form_can_be_left_at_once(origin: str, watched_page: WatchedPage, by: str) -> None:
    """By mouse, by keys, and where nothing is scripted."""
    page = watched_page(origin, 375, java_script_enabled="link" not in by).page

    def elsewhere(route: Route) -> None:
        route.fulfill(body="<title>Weather</title>Weather", content_type="text/html")

    page.route("https://www.bbc.co.uk/**", elsewhere)
    for path in sorted(PAGES):
        page.goto(f"{origin}/{FORCE}/{path}")
        if by == "three times Shift":
            expect(page.locator(".govuk-exit-this-page[data-govuk-exit-this-page-init]")).to_be_visible()
            for _ in range(3):
                page.keyboard.press("Shift")
        else:
            page.locator(".govuk-exit-this-page__button").click()
        page.wait_for_url("https://www.bbc.co.uk/weather")
        expect(page).to_have_title("Weather")


@pytest.mark.parametrize("width", [320, 1280])
def test_somebody_helps_her_with_the_form(origin: str, watched_page: WatchedPage, width: int) -> None:
    """It asks who helps, and from then on about her."""
    page = watched_page(origin, width).page
    page.goto(f"{origin}/{FORCE}/request/eligibility")
    for label in ("Yes", "I am helping a woman who is with me"):
        page.get_by_label(label, exact=True).check()
        page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Who are you?")
    assert_decent(page)
    page.get_by_label("A support worker or advocate").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Where would she like to walk?")
    assert_decent(page)


def test_the_counts_of_campaigns_are_accessible(app: FastAPI, origin: str, watched_page: WatchedPage) -> None:
    """For the coordinator: each campaign with its link."""
    coordinator = a_user(Role.COORDINATOR, force_id=FORCE)
    watched = watched_page(origin, 375, cookies=cookies_of(app, coordinator))
    page = watched.page
    page.goto(f"{origin}/staff/campaigns")
    expect(page.get_by_role("main")).to_contain_text(f"{origin}/{FORCE}/?from=library-posters")
    assert_decent(page)
    watched.assert_kept_to_itself()
