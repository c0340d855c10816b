"""The survey and the evaluation in a browser: answered by keyboard, on a phone, with JavaScript and without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from services.feedback import store
from services.feedback.domain import Answered
from shared.contracts.kinds import SurveyName
from shared.contracts.surveys import AFTER_WALK, BASELINE
from shared.database import Database
from shared.embedded.processes import free_port
from shared.web.access import Role
from tests.browser.conftest import WatchedPage
from tests.servers.databases import ServiceDatabase, beside
from tests.servers.feedback_service import FORCE, KEY, a_ticket, feedback_app
from tests.servers.served import served
from tests.servers.visitors import a_user, cookies_of


@pytest.fixture
def service(database_for_browser: Callable[[str], ServiceDatabase]) -> ServiceDatabase:
    return database_for_browser("feedback")


@pytest.fixture
def app(service: ServiceDatabase) -> FastAPI:
    return feedback_app(service)


@pytest.fixture
def origin(app: FastAPI) -> Iterator[str]:
    with served(app, free_port()) as url:
        yield url


def assert_decent(page: Page) -> None:
    """Axe finds nothing, and on no screen has anything to be scrolled sideways."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def stored(service: ServiceDatabase) -> list[asyncpg.Record]:
    """The answers kept."""

    async def look() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(service.admin_url)
        try:
            return await connection.fetch("SELECT answers::text FROM answers")
        finally:
            await connection.close()

    return beside(look())


@pytest.mark.parametrize("script", [True, False])
def test_a_woman_answers_the_survey_to_its_end(
    origin: str, service: ServiceDatabase, watched_page: WatchedPage, script: bool
) -> None:
    """From the link to the thanks, every page accessible and kept to itself, with and without JavaScript."""
    watched = watched_page(origin, 375, java_script_enabled=script)
    page = watched.page
    page.goto(f"{origin}/s/{a_ticket().token(KEY)}")
    expect(page.get_by_role("heading", name="Before you answer")).to_be_visible()
    if script:
        assert_decent(page)
    page.get_by_role("button", name="Start").click()
    for number, question in enumerate(AFTER_WALK.questions, 1):
        expect(page).to_have_title(f"Question {number} of {len(AFTER_WALK.questions)}")
        page.get_by_role("radio", name=question.choices[0].label, exact=True).check()
        if script and number in (1, len(AFTER_WALK.questions)):
            assert_decent(page)
        page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    if script:
        assert_decent(page)
    page.get_by_role("button", name="Send your answers").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert len(stored(service)) == 1
    if script:
        assert_decent(page)
        watched.assert_kept_to_itself()


def test_the_survey_is_answered_by_keyboard_alone(
    origin: str, service: ServiceDatabase, watched_page: WatchedPage
) -> None:
    """Space ticks, arrows choose, Enter sends; Back shows the answer given before."""
    page = watched_page(origin).page
    url = f"{origin}/s/{a_ticket().token(KEY)}"
    page.goto(url)
    page.get_by_role("checkbox", name="Do not contact me").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Start").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="Very safe", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_title("Question 2 of 13")
    page.get_by_role("link", name="Back", exact=True).click()
    expect(page.get_by_role("radio", name="Fairly safe", exact=True)).to_be_checked()
    page.goto(f"{url}/question/13")
    expect(page.get_by_role("radio", name="Do not contact me, whatever I answer")).to_be_checked()


def test_sending_nothing_is_told_and_loses_nothing(origin: str, watched_page: WatchedPage) -> None:
    """The error summary has the focus and says what to do; the link stays open."""
    page = watched_page(origin, 375).page
    url = f"{origin}/s/{a_ticket().token(KEY)}"
    page.goto(f"{url}/check")
    page.get_by_role("button", name="Send your answers").click()
    expect(page.get_by_role("alert")).to_contain_text("Answer at least one question")
    assert_decent(page)
    page.goto(url)
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def test_after_sending_the_answers_cannot_be_brought_back(origin: str, watched_page: WatchedPage) -> None:
    """Whoever presses Back on her phone afterwards sees the thanks, not the answers."""
    page = watched_page(origin).page
    url = f"{origin}/s/{a_ticket().token(KEY)}"
    page.goto(f"{url}/question/1")
    page.get_by_role("radio", name="Very unsafe", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    page.goto(f"{url}/check")
    page.get_by_role("button", name="Send your answers").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert "Very unsafe" not in page.content()


def test_a_link_that_is_too_old_says_so(origin: str, watched_page: WatchedPage) -> None:
    """In plain words, with nothing about walks or police in the history's title."""
    page = watched_page(origin, 375).page
    page.goto(f"{origin}/s/{a_ticket(days=-1).token(KEY)}")
    expect(page.get_by_role("main")).to_contain_text("This link is no longer open")
    assert not re.search("walk|police", page.title(), re.IGNORECASE)
    assert_decent(page)


def test_the_evaluation_is_accessible_with_its_chart(
    app: FastAPI, origin: str, service: ServiceDatabase, watched_page: WatchedPage
) -> None:
    """The chart has a name, its numbers stand in tables, and nothing leaves the origin."""
    beside(_answer(service, 40))
    watched = watched_page(origin, cookies=cookies_of(app, a_user(Role.ANALYST, force_id=FORCE)))
    page = watched.page
    page.goto(f"{origin}/")
    expect(page.get_by_role("img", name="How answers changed")).to_be_visible()
    page.get_by_text("How safe do you feel walking alone in this area after dark?").click()
    expect(page.get_by_role("table", name="Change").first).to_be_visible()
    assert_decent(page)
    watched.assert_kept_to_itself()


async def _answer(service: ServiceDatabase, pairs: int) -> None:
    """Women who felt a bit unsafe before their walk and, half of them, safer after it."""
    database = Database(service.web_url)
    await database.open()
    try:
        async with database.transaction([FORCE]) as tx:
            await store.save_answers(tx, list(_pairs(pairs)))
    finally:
        await database.close()


def _pairs(pairs: int) -> Sequence[Answered]:
    month = f"{datetime.now(UTC):%Y-%m}"
    found = []
    for number in range(pairs):
        pair = uuid4()
        for survey, step in ((SurveyName.BASELINE, 0), (SurveyName.AFTER_WALK, number % 2)):
            answers = {question.code: question.scale()[2 - step] for question in BASELINE.questions}
            found.append(Answered(FORCE, survey, pair, 1, month, answers))
    return found
