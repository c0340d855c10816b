"""The layout in a browser: narrow and wide, by keyboard, without JavaScript, for whoever must leave at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from shared.embedded.processes import free_port
from shared.web.access import Role
from tests.browser.conftest import Watched, WatchedPage
from tests.servers.served import served
from tests.servers.visitors import a_user, cookies_of
from tests.servers.web_example import Settings, example_app

WIDTHS = (320, 375, 1280)
# WCAG 2.2, 1.4.12: what a reader may set without losing content.
SPACED = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    " p { margin-bottom: 2em !important }"
)


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[FastAPI, str]]:
    """The example service on a port of this machine."""
    port = free_port()
    app = example_app(Settings(intake_url=f"http://localhost:{port}"))
    with served(app, port) as origin:
        yield app, origin


def assert_accessible(page: Page) -> None:
    """axe finds nothing, and the page is no wider than the screen."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def asked_and_refused(watched: Watched) -> None:
    """The request form, sent empty."""
    watched.page.goto(watched.origin + "/request")
    watched.page.get_by_role("button", name="Send request").click()
    expect(watched.page.get_by_role("alert")).to_contain_text("Enter a place, street or postcode")


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_for_participants_are_accessible(
    site: tuple[FastAPI, str], watched_page: WatchedPage, width: int
) -> None:
    """Form, errors and error page can be used by everybody at every width, and load nothing from elsewhere."""
    watched = watched_page(site[1], width)
    for path in ("/request", "/request/thanks", "/nothing"):
        watched.page.goto(site[1] + path)
        assert_accessible(watched.page)
    asked_and_refused(watched)
    assert_accessible(watched.page)
    watched.assert_kept_to_itself()


def test_content_policy_refuses_what_is_not_ours(site: tuple[FastAPI, str], watched_page: WatchedPage) -> None:
    """Inline styles and scripts, and anything of another origin, are refused, and the watch on pages notices."""
    watched = watched_page(site[1])
    watched.page.goto(site[1] + "/request")
    watched.page.evaluate("""() => {
        document.body.setAttribute('style', 'color: red')
        const script = document.createElement('script')
        script.textContent = 'window.injected = true'
        document.body.append(script)
        document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.invalid/a.png'}))
    }""")
    expect(watched.page.locator("body")).not_to_have_css("color", "rgb(255, 0, 0)")
    assert watched.page.evaluate("window.injected") is None
    assert {refusal.split()[0] for refusal in watched.refused} == {"style-src-attr", "script-src-elem", "img-src"}


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_for_staff_are_accessible(site: tuple[FastAPI, str], watched_page: WatchedPage, width: int) -> None:
    """Staff pages and the service's documents can be used by everybody at every width."""
    app, origin = site
    watched = watched_page(origin, width, cookies_of(app, a_user(Role.OFFICER)))
    for path in ("/walks", "/me", "/docs", "/asyncapi"):
        watched.page.goto(origin + path)
        assert_accessible(watched.page)
    watched.assert_kept_to_itself()


def test_page_holds_with_a_readers_own_spacing(site: tuple[FastAPI, str], watched_page: WatchedPage) -> None:
    """A narrow page with wide text spacing loses nothing to the side."""
    watched = watched_page(site[1], 320)
    asked_and_refused(watched)
    watched.page.evaluate(
        "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); document.adoptedStyleSheets = [sheet] }",
        SPACED,
    )
    assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_form_works_without_javascript(site: tuple[FastAPI, str], watched_page: WatchedPage) -> None:
    """Without JavaScript the form is sent, its errors shown, the navigation there, and the exit a link."""
    watched = watched_page(site[1], 375, java_script_enabled=False)
    asked_and_refused(watched)
    page = watched.page
    page.get_by_label("What should we call you?").fill("Rose")
    page.get_by_label("Yes").check()
    page.get_by_label("Where would you like to walk?").fill("Mill Lane")
    page.get_by_label("Mornings").check()
    page.get_by_role("button", name="Send request").click()
    expect(page).to_have_url(site[1] + "/request/thanks")
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Ask for a walk")).to_be_visible()
    exits = page.locator(".govuk-exit-this-page a")
    assert exits.get_attribute("href") == "https://www.bbc.co.uk/weather"


def test_error_leads_to_its_field(site: tuple[FastAPI, str], watched_page: WatchedPage) -> None:
    """The summary has the focus, and each of its links puts the focus into the field that is wrong."""
    watched = watched_page(site[1], 375)
    asked_and_refused(watched)
    expect(watched.page.locator(".govuk-error-summary")).to_be_focused()
    watched.page.get_by_role("link", name="Select yes if you are a woman aged 18 or over").click()
    expect(watched.page.get_by_label("Yes")).to_be_focused()


def test_keyboard_can_skip_to_the_page(site: tuple[FastAPI, str], watched_page: WatchedPage) -> None:
    """The first stop of the keyboard skips to the main part, the second leaves the page."""
    watched = watched_page(site[1])
    page = watched.page
    page.goto(site[1] + "/request")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".govuk-js-exit-this-page-skiplink")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main-content")).to_be_focused()


def test_what_has_the_focus_is_never_hidden(site: tuple[FastAPI, str], watched_page: WatchedPage) -> None:
    """No stop of the keyboard lies wholly under the exit button, which stays in place while the page scrolls."""
    watched = watched_page(site[1], 320)
    page = watched.page
    page.goto(site[1] + "/request")
    hidden = """() => {
        const focused = document.activeElement, button = document.querySelector('.govuk-exit-this-page__button')
        if (focused === button || focused === document.body) return false
        const a = focused.getBoundingClientRect(), b = button.getBoundingClientRect()
        return a.top >= b.top && a.bottom <= b.bottom && a.left >= b.left && a.right <= b.right
    }"""
    for key in ("Tab", "Shift+Tab"):
        for _ in range(14):
            page.keyboard.press(key)
            assert not page.evaluate(hidden), page.evaluate("document.activeElement.outerHTML")


@pytest.mark.parametrize("by", ["click", "keys"])
def test_page_can_be_left_at_once(site: tuple[FastAPI, str], watched_page: WatchedPage, by: str) -> None:
    """A click, or the Shift key three times, leads away at once."""
    watched = watched_page(site[1], 375)
    page = watched.page
    page.route("https://www.bbc.co.uk/**", lambda route: route.fulfill(body="weather"))
    page.goto(site[1] + "/request")
    expect(page.locator(".govuk-exit-this-page[data-govuk-exit-this-page-init]")).to_be_visible()
    if by == "click":
        page.locator(".govuk-exit-this-page__button").click()
    else:
        for _ in range(3):
            page.keyboard.press("Shift")
    page.wait_for_url("https://www.bbc.co.uk/weather")


def test_signing_out_takes_a_form_of_our_own(site: tuple[FastAPI, str], watched_page: WatchedPage) -> None:
    """The button in the navigation signs out, and the page that was open asks for a sign-in again."""
    app, origin = site
    watched = watched_page(origin, 1280, cookies_of(app, a_user(Role.OFFICER)))
    page = watched.page
    page.goto(origin + "/walks")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert "walkandtalk-session" not in {cookie["name"] for cookie in watched.context.cookies()}
    watched.assert_kept_to_itself()


def test_page_can_be_printed_and_read_in_own_colours(
    site: tuple[FastAPI, str], watched_page: WatchedPage, tmp_path: Path
) -> None:
    """Print and forced colours lose neither heading nor fields; the exit button is not printed."""
    watched = watched_page(site[1], 1280, forced_colors="active")
    page = watched.page
    page.goto(site[1] + "/request")
    assert_accessible(page)
    page.screenshot(path=tmp_path / "forced-colours.png", full_page=True)
    page.emulate_media(media="print")
    expect(page.locator(".govuk-exit-this-page")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
