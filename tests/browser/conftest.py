"""Chromium, and pages of it that are watched: what the content policy refused, and requests that left the origin."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from tests.servers.lacking import lacks

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, a new one for each module.

    While it is there an event loop runs in this thread, in which no async test could run: it must be gone when the
    modules after it come.
    """
    if not CHROMIUM.exists():
        lacks("Chromium (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM))
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page, what its content policy refused, and which requests left its origin."""

    page: Page
    context: BrowserContext
    origin: str
    foreign: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def assert_kept_to_itself(self) -> None:
        """Nothing was refused by the content policy and nothing was asked of another origin."""
        assert (self.refused, self.foreign) == ([], [])


WatchedPage = Callable[..., Watched]


@pytest.fixture
def watched_page(chromium: Browser) -> Iterator[WatchedPage]:
    """Opens watched pages: `watched_page(origin, width, cookies=…, java_script_enabled=…)`."""
    contexts: list[BrowserContext] = []

    def open_page(origin: str, width: int = 1280, cookies: dict[str, str] | None = None, **options: Any) -> Watched:
        context = chromium.new_context(viewport={"width": width, "height": 800}, locale="en-GB", **options)
        contexts.append(context)
        if cookies:
            context.add_cookies([{"name": name, "value": value, "url": origin} for name, value in cookies.items()])
        page = context.new_page()
        watched = Watched(page, context, origin)
        # A lambda, because Playwright wants to put a mark on the function it is given.
        context.expose_function("policyRefused", lambda what: watched.refused.append(what))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " event => window.policyRefused(event.violatedDirective + ' ' + event.blockedURI))"
        )

        def watch(request: Request) -> None:
            if not request.url.startswith((origin + "/", "data:", "blob:")):
                watched.foreign.append(request.url)

        page.on("request", watch)
        return watched

    yield open_page
    for context in contexts:
        context.close()
