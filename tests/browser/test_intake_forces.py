"""Several forces in a browser: each in its own colours, and a form that goes from one to the other, on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from services.intake.app import build
from shared.embedded.processes import free_port
from tests.browser.conftest import WatchedPage
from tests.browser.test_intake_pages import assert_decent
from tests.servers.databases import ServiceDatabase
from tests.servers.forces_folder import forces_folder
from tests.servers.intake_service import FORCE, settings_of
from tests.servers.served import served

OTHER = "metropolitan"
OWN, ABROAD = "avon.localhost", "met.localhost"
PICTURES = os.environ.get("PICTURES")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def app(database_for_browser: Callable[[str], ServiceDatabase], port: int, tmp_path: Path) -> FastAPI:
    folder = forces_folder(tmp_path, {FORCE: {"hosts": [OWN]}, OTHER: {"hosts": [ABROAD]}})
    return build(settings_of(database_for_browser("intake"), intake_url=f"http://localhost:{port}", forces_dir=folder))


@pytest.fixture
def origin(app: FastAPI, port: int) -> Iterator[str]:
    with served(app, port) as url:
        yield url


def follow(page: Page, role: Literal["button", "link"], name: str) -> None:
    """Press it, and wait for the page it leads to."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).click()


def ask_at(page: Page, origin: str, postcode: str) -> None:
    """Fill in up to the place."""
    page.goto(f"{origin}/{FORCE}/request/eligibility")
    for label in ("Yes", "I am, and the walk is for me"):
        page.get_by_label(label, exact=True).check()
        follow(page, "button", "Continue")
    page.locator("#postcode").fill(postcode)
    follow(page, "button", "Continue")


def go_on_there(page: Page) -> None:
    """She confirms what the other force asks itself, and goes on where she stopped."""
    expect(page.get_by_role("banner")).to_contain_text("Metropolitan Police")
    page.get_by_label("Yes", exact=True).check()
    follow(page, "button", "Continue")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Should the walk pass other places too?")
    follow(page, "link", "Back")
    expect(page.locator("#postcode")).to_have_value("SE1 7PB")


@pytest.mark.parametrize("script", [True, False])
def test_form_goes_to_the_force_of_the_place(origin: str, watched_page: WatchedPage, script: bool) -> None:
    """Told, agreed, handed over; accessible, and nothing of hers in an address."""
    watched = watched_page(origin, 375, java_script_enabled=script)
    page = watched.page
    ask_at(page, origin, "SE1 7PB")
    expect(page.get_by_role("heading", level=1)).to_have_text("This place is in the area of Metropolitan Police")
    if script:
        assert_decent(page)
        page.set_viewport_size({"width": 375, "height": 800})
    assert "SE1" not in page.url + page.title()
    follow(page, "button", "Agree and go on with Metropolitan Police")
    go_on_there(page)
    watched.assert_kept_to_itself()


def test_form_goes_to_the_other_forces_own_name(origin: str, port: int, watched_page: WatchedPage) -> None:
    """By a button of hers from one name to the other, with nothing refused by the content policy."""
    watched = watched_page(origin, 375)
    page = watched.page
    ask_at(page, f"http://{OWN}:{port}", "SE1 7PB")
    follow(page, "button", "Agree and go on with Metropolitan Police")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your answers are with Metropolitan Police now")
    assert_decent(page)
    follow(page, "button", "Go on with Metropolitan Police")
    page.wait_for_url(f"http://{ABROAD}:{port}/{OTHER}/request/eligibility?change=1")
    go_on_there(page)
    assert watched.refused == []


def test_place_of_nobody_we_know_is_accessible(origin: str, watched_page: WatchedPage) -> None:
    """Whom to ask, another place, or on with this one."""
    page = watched_page(origin, 375).page
    ask_at(page, origin, "M1 1AE")
    expect(page.get_by_role("main")).to_contain_text("What you have typed is still here.")
    assert_decent(page)
    follow(page, "button", "Go on with this place")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Should the walk pass other places too?")


@pytest.mark.parametrize(("force", "colour"), [(FORCE, "rgb(29, 60, 110)"), (OTHER, "rgb(20, 49, 79)")])
def test_first_page_is_in_the_forces_own_colours(
    origin: str, watched_page: WatchedPage, force: str, colour: str
) -> None:
    """From a style sheet of our own origin, readable."""
    watched = watched_page(origin, 375)
    page = watched.page
    page.goto(f"{origin}/{force}/")
    assert page.locator(".walk-header").evaluate("at => getComputedStyle(at).backgroundColor") == colour
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/force-{force}-375.png", full_page=True)
    assert_decent(page)
    watched.assert_kept_to_itself()
