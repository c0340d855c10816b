"""Places of the form on a map: by keyboard alone, without JavaScript, with and without tiles, on a small screen."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, Route, expect

from services.intake.app import build
from tests.browser.conftest import WatchedPage
from tests.browser.test_intake_form import tab_to
from tests.browser.test_intake_hers import taken_picture
from tests.browser.test_intake_pages import assert_decent, origin, port, service
from tests.servers.databases import ServiceDatabase
from tests.servers.intake_service import FORCE, ROOT, settings_of
from tests.servers.served import served

__all__ = ["origin", "port", "service"]

TWO_NUMBERS: Final = re.compile(r"-?\d+\.\d{5}, -?\d+\.\d{5}")
A_PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def app(service: ServiceDatabase, port: int) -> FastAPI:
    return build(settings_of(service, intake_url=f"http://localhost:{port}"))


def come_to_the_place(page: Page, origin: str) -> None:
    """The first two questions answered; the third asks where."""
    page.goto(f"{origin}/{FORCE}/request/eligibility")
    page.get_by_label("Yes", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("I am, and the walk is for me").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#postcode")).to_be_visible()


def come_to_the_map(page: Page, origin: str) -> None:
    """The page of a point on the map, its map drawn where JavaScript runs."""
    come_to_the_place(page, origin)
    page.get_by_role("link", name="use a point on a map").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Which point on the map?")


def press(page: Page, name: str, times: int = 1) -> None:
    """By Tab to a button, by Enter."""
    tab_to(page, name)
    for _ in range(times):
        page.keyboard.press("Enter")


def near(page: Page, postcode: str) -> None:
    """Move the map to a postcode, by keyboard, and wait until it says so."""
    tab_to(page, "map-postcode")
    page.keyboard.press("Control+A")
    page.keyboard.type(postcode)
    page.keyboard.press("Enter")
    expect(page.locator("[data-here]")).to_contain_text("The cross is near")


def test_a_point_and_a_route_are_picked_by_keyboard_alone(origin: str, watched_page: WatchedPage) -> None:
    """One place, then three on the way, put in order and one taken out; the form's fields hold what the map shows."""
    watched = watched_page(origin, 375, reduced_motion="reduce")
    page = watched.page
    come_to_the_map(page, origin)
    expect(page.locator("[data-ready]")).to_be_attached()
    tab_to(page, "Continue")
    page.keyboard.press("Enter")
    expect(page.locator("[data-wrong]")).to_contain_text("until the cross is on the place")
    assert_decent(page)
    page.set_viewport_size({"width": 375, "height": 800})
    near(page, "bs14dj")
    press(page, "East", 2)
    press(page, "Zoom in")
    expect(page.locator("[data-here]")).to_contain_text("BS1 Bristol city centre and Harbourside")
    press(page, "Use this point")
    chosen = page.locator("[data-chosen] li")
    expect(chosen).to_have_count(1)
    expect(chosen).to_contain_text("near BS1")
    taken_picture(page, "map-point", 375)
    assert_decent(page)
    page.set_viewport_size({"width": 320, "height": 800})
    taken_picture(page, "map-point", 320)
    point = page.locator("#point").input_value()
    assert TWO_NUMBERS.fullmatch(point)
    press(page, "Continue")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Should the walk pass other places too?")
    expect(page.locator("[data-ready]")).to_be_attached()
    expect(chosen).to_have_count(1)
    expect(chosen).to_contain_text("near BS1")
    for number, postcode in enumerate(("BS1 5TR", "BS2 0JA", "BS1 6QF"), 2):
        near(page, postcode)
        press(page, "Use this point")
        expect(chosen).to_have_count(number)
        expect(page.locator("[data-said]")).to_contain_text(f"Place {number} chosen: near BS")
    lines = page.locator("#stops").input_value().split("\n")
    assert len(lines) == 3 and all(map(TWO_NUMBERS.fullmatch, lines))
    third = chosen.nth(2).locator("[data-place]").inner_text()
    chosen.nth(2).get_by_role("button", name="Move up").focus()
    page.keyboard.press("Enter")
    expect(chosen.nth(1)).to_contain_text(third)
    expect(chosen.nth(1).get_by_role("button", name="Move down")).to_be_focused()
    chosen.nth(3).get_by_role("button", name=re.compile("Remove")).focus()
    page.keyboard.press("Enter")
    expect(chosen).to_have_count(3)
    expect(chosen.nth(2).get_by_role("button", name="Remove")).to_be_focused()
    assert page.locator("#stops").input_value().split("\n") == [lines[1], lines[0]]
    assert_decent(page)
    page.set_viewport_size({"width": 375, "height": 800})
    taken_picture(page, "map-route", 375)
    press(page, "Continue")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Do you live, work or study near there?")
    page.get_by_role("link", name="Back", exact=True).click()
    expect(chosen).to_have_count(3)
    watched.assert_kept_to_itself()


def test_the_map_asks_in_bodies_alone(origin: str, watched_page: WatchedPage) -> None:
    """No address of any request holds where she looks, or the postcode she typed."""
    watched = watched_page(origin, 1280, reduced_motion="reduce")
    page, addresses = watched.page, set[str]()
    page.on("request", lambda request: addresses.add(request.url.removeprefix(origin)))
    come_to_the_map(page, origin)
    expect(page.locator("[data-ready]")).to_be_attached()
    near(page, "BS1 4DJ")
    page.get_by_role("button", name="Use this point").click()
    expect(page.locator("[data-chosen] li")).to_contain_text("near")
    taken_picture(page, "map-point", 1280)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-ready]")).to_be_attached()
    asked = {one for one in addresses if one.startswith("/api/")}
    assert asked == {f"/api/v1/forces/{FORCE}/areas", f"/api/v1/forces/{FORCE}/places"}
    assert not [one for one in addresses if re.search(r"51\.|bs1", one, re.IGNORECASE)]


def test_what_is_typed_is_shown_on_the_map(origin: str, watched_page: WatchedPage) -> None:
    """Under “Enter it as text instead” stands the field itself: its lines are the list, faults are seen beside it."""
    page = watched_page(origin, 1280, reduced_motion="reduce").page
    come_to_the_place(page, origin)
    page.fill("#postcode", "BS1 4DJ")
    page.get_by_role("button", name="Continue").click()
    chosen = page.locator("[data-chosen] li")
    expect(chosen).to_have_text([re.compile("BS1 4DJ")])
    page.get_by_text("Enter it as text instead").click()
    page.fill("#stops", "BS1 5TR\nnowhere")
    page.locator("#stops").blur()
    expect(chosen).to_have_count(3)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 2")
    expect(page.locator("#stops")).to_be_visible()
    expect(page.locator("#stops")).to_have_value(re.compile("nowhere"))


def test_without_javascript_places_are_typed(origin: str, watched_page: WatchedPage) -> None:
    """Two numbers, and a route of lines; nothing of the map is there."""
    page = watched_page(origin, 320, java_script_enabled=False).page
    come_to_the_map(page, origin)
    expect(page.get_by_text("Use this point")).to_have_count(0)
    page.fill("#point", "51.4545, -2.5879")
    page.get_by_role("button", name="Continue").click()
    page.fill("#stops", "BS1 5TR\n51.4560, -2.5800\nBS2 0JA")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Do you live, work or study near there?")


@pytest.fixture
def with_tiles(database_for_browser: Callable[[str], ServiceDatabase], port: int, tmp_path: Path) -> Iterator[str]:
    """A force that serves tiles of its own."""
    forces = tmp_path / "forces"
    shutil.copytree(ROOT / "deploy" / "forces", forces)
    with (forces / FORCE / "policy.yaml").open("a") as policy:
        policy.write("maps:\n  tiles: /tiles/{z}/{x}/{y}.png\n  credit: Map of the demo\n")
    here: FastAPI = build(
        settings_of(database_for_browser("intake"), intake_url=f"http://localhost:{port}", forces_dir=forces)
    )
    with served(here, port) as url:
        yield url


def test_tiles_of_the_forces_own_host_are_shown(with_tiles: str, watched_page: WatchedPage) -> None:
    """Tiles come and go as the map moves, all of our own origin, and the content policy refuses nothing."""
    watched = watched_page(with_tiles, 1280, reduced_motion="reduce")
    page = watched.page
    asked: list[str] = []

    def a_tile(route: Route) -> None:
        asked.append(route.request.url.removeprefix(with_tiles))
        route.fulfill(body=A_PIXEL, content_type="image/png")

    page.route("**/tiles/**", a_tile)
    come_to_the_map(page, with_tiles)
    expect(page.locator("[data-ready]")).to_be_attached()
    expect(page.get_by_role("main")).to_contain_text("Map of the demo")
    near(page, "BS1 4DJ")
    page.get_by_role("button", name="Zoom out").click(click_count=3)
    for _ in range(6):
        page.get_by_role("button", name="North").click()
    expect(page.locator(".leaflet-tile-loaded").first).to_be_visible()
    assert asked and all(re.fullmatch(r"/tiles/\d+/\d+/\d+\.png", one) for one in asked)
    watched.assert_kept_to_itself()
