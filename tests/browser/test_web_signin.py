"""Signing in with a browser: to the provider, back to the page, and out again."""

from typing import Protocol

from playwright.sync_api import expect
from pydantic import SecretStr

from shared.embedded.processes import free_port
from tests.browser.conftest import WatchedPage
from tests.servers.served import served
from tests.servers.web_example import Settings, example_app


class IdentityProvider(Protocol):
    """The running provider of the fixture."""

    issuer: str
    client_id: str
    client_secret: str


def test_officer_signs_in_and_out(identity_provider: IdentityProvider, watched_page: WatchedPage) -> None:
    """Whoever opens a staff page is led to the provider and back to that page, and can leave both."""
    port = free_port()
    settings = Settings(
        intake_url=f"http://localhost:{port}",
        oidc_issuer=identity_provider.issuer,
        oidc_client_id=identity_provider.client_id,
        oidc_client_secret=SecretStr(identity_provider.client_secret),
        oidc_forces=("avon-and-somerset", "metropolitan"),
    )
    with served(example_app(settings), port) as origin:
        watched = watched_page(origin)
        page = watched.page
        page.goto(origin + "/walks")
        assert page.url.startswith(identity_provider.issuer)
        page.locator("button[name=sub][value=officer-avon-1]").click()
        expect(page).to_have_url(origin + "/walks")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        page.goto(origin + "/walks")
        assert page.url.startswith(identity_provider.issuer)
    assert watched.refused == []
