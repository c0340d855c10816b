"""A walk recorded where there is no signal: sent once when there is, shown where it is refused, gone after sign-out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import FilePayload, Page, Route, expect

from services.assignment.app import build
from services.assignment.settings import Settings
from shared.embedded.processes import free_port
from shared.web import csrf
from tests.browser.conftest import Watched, WatchedPage
from tests.servers.assignment_service import CITY_CENTRE, OFFICER, ask_for_a_walk, assignment_settings, bus_side
from tests.servers.databases import ServiceDatabase, beside
from tests.servers.served import served
from tests.servers.visitors import cookies_of, token_of
from tests.unit.test_assignment_photos import a_photo

PATIENCE = 60_000
LEFT = """async () => [
    (await indexedDB.databases()).map((each) => each.name), await caches.keys(),
    (await navigator.serviceWorker.getRegistrations()).length, localStorage.length, sessionStorage.length,
]"""
NOTHING: list[Any] = [[], [], 0, 0, 0]


@dataclass(frozen=True)
class Ground:
    """The running service, a walk that an officer holds, and what the service has of it."""

    app: FastAPI
    origin: str
    walk_id: str
    client: httpx.Client

    @property
    def page(self) -> str:
        return f"{self.origin}/record/{self.walk_id}"

    def stored(self) -> list[str]:
        """The words of the concerns that stand on the record."""
        record = self.client.get(f"/api/v1/walks/{self.walk_id}/record").json()
        return [concern["words"] for concern in record["concerns"]]


@pytest.fixture
def ground(database_for_browser: Callable[[str], ServiceDatabase], tmp_path: Path) -> Iterator[Ground]:
    settings = assignment_settings(database_for_browser("assignment"), tmp_path)
    walk_id = beside(a_walk(settings))
    app = build(settings)
    with served(app, free_port()) as origin:
        headers = {csrf.HEADER: token_of(app, OFFICER, "bound")}
        with httpx.Client(base_url=origin, cookies=cookies_of(app, OFFICER, "bound"), headers=headers) as client:
            assert client.post(f"/api/v1/walks/{walk_id}/take", json={}).status_code == 200
            soon = (datetime.now(UTC) + timedelta(minutes=20)).isoformat()
            arranged = {"starts_at": soon, "meeting_place": "The library"}
            assert client.post(f"/api/v1/walks/{walk_id}/arrange", json=arranged).status_code == 200
            yield Ground(app, origin, walk_id, client)


async def a_walk(settings: Settings) -> str:
    async with bus_side(settings) as deps:
        await deps.take_registers()
        return await ask_for_a_walk(deps)


@pytest.fixture
def watched(ground: Ground, watched_page: WatchedPage) -> Watched:
    """The record on a phone, its worker at work."""
    found = watched_page(ground.origin, 375, cookies_of(ground.app, OFFICER, "bound"))
    found.page.goto(ground.page)
    expect(found.page.locator("[data-record][data-ready]")).to_be_attached(timeout=PATIENCE)
    return found


def now(page: Page, state: str, number: int) -> None:
    """Wait until as many are waiting, stored or refused."""
    expect(page.locator(f"[data-record][data-{state}-now='{number}']")).to_be_attached(timeout=PATIENCE)


def without_signal(watched: Watched) -> Page:
    """The officer has lost the signal and opens the record anew."""
    watched.context.set_offline(True)
    watched.page.reload()
    expect(watched.page.get_by_role("heading", name="Record the walk without signal")).to_be_visible(timeout=PATIENCE)
    expect(watched.page.locator("[data-record][data-ready]")).to_be_attached(timeout=PATIENCE)
    return watched.page


def note(page: Page, words: str, **more: str) -> None:
    page.get_by_label("What it is about").select_option(label="Badly lit")
    page.get_by_label("What she said (optional)").fill(words)
    for label, value in more.items():
        page.locator(f"#{label}").fill(value)
    page.get_by_role("button", name="Note the concern").click()
    expect(page.get_by_label("What she said (optional)")).to_have_value("")


def test_ten_noted_without_signal_are_stored_once_but_for_one_that_is_refused_and_shown(
    ground: Ground, watched: Watched
) -> None:
    """One response is lost, one concern refused: nine stored once, one shown as such, nothing left after sign-out."""
    page = without_signal(watched)
    for number in range(1, 11):
        note(page, f"Concern {number}", **({"place": "ZZ99 9ZZ"} if number == 4 else {}))
        now(page, "waiting", number)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert ground.stored() == []
    lost: list[str] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method == "PUT" and not lost:
            lost.append(json.loads(route.request.post_data or "{}")["words"])
            assert route.fetch().status == 200
            route.abort()
        else:
            route.continue_()

    page.route(re.compile(r".*/api/v1/walks/.*/concerns/.*"), lose_the_first)
    watched.context.set_offline(False)
    now(page, "stored", 9)
    now(page, "refused", 1)
    now(page, "waiting", 0)
    assert lost == ["Concern 1"]
    expect(page.get_by_text("We cannot find that postcode.")).to_be_visible()
    assert ground.stored() == [f"Concern {number}" for number in range(1, 11) if number != 4]

    page.unroute_all()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate(LEFT) == NOTHING
    names = {cookie["name"] for cookie in watched.context.cookies()}
    assert not any(name.endswith("session") for name in names)
    assert len(ground.stored()) == 9
    watched.assert_kept_to_itself()


def test_what_was_refused_is_mended_and_what_was_not_sent_undone(ground: Ground, watched: Watched) -> None:
    """The form has it again, its photo too; what is undone without signal never arrives."""
    page = without_signal(watched)
    page.locator("#photo").set_input_files(FilePayload(name="rain.jpg", mimeType="image/jpeg", buffer=a_photo()))
    page.get_by_label("I looked at the photo").check()
    note(page, "To be mended", place="ZZ99 9ZZ")
    note(page, "To be undone")
    now(page, "waiting", 2)
    page.get_by_role("button", name="Remove").nth(1).click()
    now(page, "waiting", 1)
    watched.context.set_offline(False)
    now(page, "refused", 1)
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_label("What she said (optional)")).to_have_value("To be mended")
    page.locator("#place").fill("51.45, -2.59")
    page.get_by_role("button", name="Note the concern").click()
    now(page, "stored", 1)
    now(page, "refused", 0)
    page.goto(ground.page)
    expect(page.get_by_text("To be mended")).to_be_visible()
    expect(page.get_by_role("img", name="Photo of concern 1")).to_be_visible()
    assert ground.stored() == ["To be mended"]
    watched.assert_kept_to_itself()


def test_one_changed_after_its_answer_was_lost_stands_as_it_was_changed(ground: Ground, watched: Watched) -> None:
    """What had arrived is taken back: there are not two, and not the older of them."""
    page = watched.page

    def lose(route: Route) -> None:
        assert route.fetch().status == 200
        route.abort()

    page.route(re.compile(r".*/api/v1/walks/.*/concerns/.*"), lose)
    with page.expect_event("requestfailed", timeout=PATIENCE):
        note(page, "As it was said first")
    assert ground.stored() == ["As it was said first"]
    page.get_by_role("button", name="Change").click()
    page.get_by_label("What she said (optional)").fill("As she meant it")
    page.unroute_all()
    with page.expect_response(lambda answer: answer.request.method == "DELETE", timeout=PATIENCE):
        page.get_by_role("button", name="Note the concern").click()
    now(page, "stored", 1)
    now(page, "waiting", 0)
    assert ground.stored() == ["As she meant it"]


def test_the_walk_starts_and_ends_where_there_is_no_signal(ground: Ground, watched: Watched) -> None:
    """The moment is that of the press, not of the signal."""
    page = watched.page
    watched.context.set_offline(True)
    before = datetime.now(UTC)
    page.get_by_role("button", name="Start the walk").click()
    now(page, "waiting", 1)
    after = datetime.now(UTC)
    watched.context.set_offline(False)
    now(page, "stored", 1)
    record = ground.client.get(f"/api/v1/walks/{ground.walk_id}/record").json()
    second = timedelta(seconds=1)
    assert before - second <= datetime.fromisoformat(record["started_at"]) <= after + second


def test_a_place_is_chosen_with_the_cross_that_begins_where_she_asked_to_walk(ground: Ground, watched: Watched) -> None:
    """A step to the east of it; the next concern begins without a place."""
    page = watched.page
    expect(page.locator("[data-on-map][data-ready]")).to_be_attached(timeout=PATIENCE)
    page.get_by_role("button", name="East").click()
    page.get_by_role("button", name="Use this point").click()
    expect(page.get_by_role("heading", name="Chosen place")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    note(page, "East of it")
    now(page, "stored", 1)
    expect(page.get_by_role("heading", name="Chosen place")).to_be_hidden()
    (concern,) = ground.client.get(f"/api/v1/walks/{ground.walk_id}/record").json()["concerns"]
    assert abs(concern["place"]["latitude"] - CITY_CENTRE.latitude) < 0.0005
    assert 0.0005 < concern["place"]["longitude"] - CITY_CENTRE.longitude < 0.01
    watched.assert_kept_to_itself()


def test_signing_out_on_any_page_leaves_nothing(ground: Ground, watched: Watched) -> None:
    """The record's page is not open: the answer to the sign-out tells the browser."""
    page = without_signal(watched)
    note(page, "Unsent")
    now(page, "waiting", 1)
    watched.page.route(re.compile(r".*/api/v1/walks/.*"), lambda route: route.abort())
    watched.context.set_offline(False)
    page.goto(ground.origin + "/queue")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate(LEFT) == NOTHING
    assert ground.stored() == []


def test_a_session_that_was_ended_elsewhere_leaves_nothing(ground: Ground, watched: Watched) -> None:
    """As soon as the server says that nobody is signed in, before anything is sent."""
    page = without_signal(watched)
    note(page, "Unsent")
    now(page, "waiting", 1)
    page.route("**/signin?**", lambda route: route.fulfill(body="<title>Sign in</title>", content_type="text/html"))
    watched.context.clear_cookies(name=re.compile("session$"))
    watched.context.set_offline(False)
    expect(page).to_have_title("Sign in", timeout=PATIENCE)
    assert page.evaluate(LEFT) == NOTHING
    assert ground.stored() == []
