"""The pages of one machine (mailbox, start page, choosing a person) in a browser: readable, narrow, harmless."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from shared.embedded.processes import free_port
from shared.embedded.start_page import StartPage
from tests.browser.conftest import WatchedPage
from tests.servers.local_programs import IdentityServer, MailboxServer


def assert_accessible(page: Page) -> None:
    """Axe finds nothing, and at 320 pixels nothing has to be scrolled sideways."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.fixture
def start_page() -> Iterator[str]:
    """The start page, its links leading nowhere."""
    port = free_port()
    names = ("intake", "assignment", "partners", "feedback", "identity", "mailbox")
    page = StartPage(port, {name: f"http://localhost:{number}" for number, name in enumerate(names, start=1)})
    yield f"http://localhost:{port}"
    page.stop()


def test_start_page_is_accessible_and_leads_everywhere(start_page: str, watched_page: WatchedPage) -> None:
    """It names every page and loads nothing from elsewhere."""
    watched = watched_page(start_page)
    watched.page.goto(start_page)
    for text in ("Ask for a walk", "Walks of the team", "Concerns", "Evaluation", "Mailbox"):
        expect(watched.page.get_by_role("link", name=text, exact=True)).to_be_visible()
    assert_accessible(watched.page)
    watched.assert_kept_to_itself()


def test_choosing_a_person_is_accessible(identity_provider: IdentityServer, watched_page: WatchedPage) -> None:
    """The provider's page can be used with any width and loads nothing from elsewhere."""
    question = {
        "response_type": "code",
        "client_id": identity_provider.client_id,
        "redirect_uri": "http://localhost:8001/signin/callback",
        "scope": "openid",
        "state": "a-state",
        "code_challenge": "a" * 43,
        "code_challenge_method": "S256",
    }
    watched = watched_page(identity_provider.issuer)
    watched.page.goto(f"{identity_provider.issuer}/oauth2/authorize?{urlencode(question)}")
    expect(watched.page.get_by_role("button", name="PC Amina Yusuf")).to_be_visible()
    assert_accessible(watched.page)
    watched.assert_kept_to_itself()


def test_a_message_shows_its_parts_and_runs_nothing(mailbox: MailboxServer, watched_page: WatchedPage) -> None:
    """From the list to the message; a script or a picture in its HTML part neither runs nor is asked for."""
    message = EmailMessage()
    message["From"], message["To"] = "no-reply@walkandtalk.invalid", "browser@example.org"
    message["Subject"], message["Message-ID"] = "Your walk is arranged", "<browser@walkandtalk>"
    message.set_content("We will meet you on Tuesday.")
    watcher = socket.create_server(("127.0.0.1", 0))
    watcher.setblocking(False)
    picture = f"http://127.0.0.1:{watcher.getsockname()[1]}/seen.png"
    trap = f'<script>parent.caught = true</script><img alt="" src="{picture}"><h1>Hello</h1>'
    message.add_alternative(trap, subtype="html")
    with smtplib.SMTP("127.0.0.1", mailbox.smtp_port) as smtp:
        smtp.send_message(message)

    page = watched_page(mailbox.url).page
    page.goto(mailbox.url)
    assert_accessible(page)
    page.get_by_role("link", name="Your walk is arranged").first.click()
    expect(page.get_by_text("We will meet you on Tuesday.")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_role("heading", name="Hello")).to_be_visible()
    assert not page.evaluate("'caught' in window")
    with watcher, pytest.raises(BlockingIOError):
        watcher.accept()  # nobody asked for the picture
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
