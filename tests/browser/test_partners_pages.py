"""A partner's and a coordinator's way through the pages in a browser, accessible at every width."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from services.partners.app import build
from services.partners.domain import Decline
from shared.contracts.kinds import PartOfDay, Reason
from shared.embedded.processes import free_port
from shared.web.access import Role
from shared.web.session import User
from tests.browser.conftest import WatchedPage
from tests.servers.databases import ServiceDatabase, beside
from tests.servers.partners_service import FORCE, Partners, a_concern, partners_on, reference_of, settings_of
from tests.servers.served import served
from tests.servers.visitors import cookies_of

T = TypeVar("T")
COUNCIL = User("person-1", "Sam Example", frozenset({Role.PARTNER}), FORCE, partner_id="bristol-city-council")
COORDINATOR = User("person-2", "Kim Example", frozenset({Role.COORDINATOR}), FORCE)


@pytest.fixture
def service(database_for_browser: Callable[[str], ServiceDatabase]) -> ServiceDatabase:
    return database_for_browser("partners")


@pytest.fixture
def app(service: ServiceDatabase) -> FastAPI:
    return build(settings_of(service))


@pytest.fixture
def origin(app: FastAPI) -> Iterator[str]:
    with served(app, free_port()) as url:
        yield url


def within(service: ServiceDatabase, work: Callable[[Partners], Awaitable[T]]) -> T:
    """Do something with the service beside the browser."""

    async def run() -> T:
        for pool in (service.web, service.bus):
            await pool.open()
        try:
            async with partners_on(service) as partners:
                return await work(partners)
        finally:
            for pool in (service.web, service.bus):
                await pool.close()

    return beside(run())


def assert_decent(page: Page) -> None:
    """Axe finds nothing, and on no screen has anything to be scrolled sideways."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


async def a_late_referral(partners: Partners) -> UUID:
    concern = a_concern(place_name="Underpass by the old bakery", time_of_day=PartOfDay.EVENING)
    await partners.take(concern)
    partners.now += timedelta(days=20)
    await partners.timers.fire_due()
    return await reference_of(partners, concern.concern_id)


async def a_concern_everybody_declined(partners: Partners) -> None:
    concern = a_concern(category=Reason.RUNDOWN)
    await partners.take(concern)
    reference = await reference_of(partners, concern.concern_id)
    await partners.answer(Decline(FORCE, reference, "bristol-city-council", "Private land"))


@pytest.mark.parametrize("script", [True, False])
def test_partner_answers_a_referral_to_its_end(
    app: FastAPI, origin: str, service: ServiceDatabase, watched_page: WatchedPage, script: bool
) -> None:
    """From the list by accept and update to resolved, with and without JavaScript."""
    within(service, a_late_referral)
    watched = watched_page(origin, 375, cookies=cookies_of(app, COUNCIL), java_script_enabled=script)
    page = watched.page

    def decent() -> None:
        if script:
            assert_decent(page)

    page.goto(origin)
    expect(page.get_by_text("Overdue")).to_be_visible()
    decent()
    page.get_by_role("link", name="Badly lit").click()
    decent()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Update").click()
    page.get_by_role("button", name="Save update").click()
    expect(page.get_by_role("alert")).to_contain_text("Select how the work goes")
    decent()
    page.get_by_role("radio", name="Work is planned").check()
    page.get_by_role("button", name="Save update").click()
    page.get_by_role("button", name="Resolve").click()
    decent()
    page.get_by_role("radio", name="Something was done").check()
    page.get_by_label("What was done, in plain words").fill("The lamps were repaired.")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("resolved by the partner")).to_be_visible()
    decent()
    page.goto(origin)
    expect(page.get_by_text("Nothing is waiting for you.")).to_be_visible()
    decent()
    if script:
        watched.assert_kept_to_itself()


def test_coordinator_chooses_a_partner(
    app: FastAPI, origin: str, service: ServiceDatabase, watched_page: WatchedPage
) -> None:
    """Without a choice the field says so; with one the concern leaves triage and stands in the list."""
    within(service, a_concern_everybody_declined)
    watched = watched_page(origin, 1280, cookies=cookies_of(app, COORDINATOR))
    page = watched.page
    page.goto(f"{origin}/triage")
    assert_decent(page)
    page.get_by_role("button", name="Refer").click()
    expect(page.get_by_role("alert")).to_contain_text("Select a partner")
    assert_decent(page)
    page.get_by_label("Partner").select_option("Harbourside Traders")
    page.get_by_role("button", name="Refer").click()
    expect(page.get_by_text("No concern is waiting for a partner.")).to_be_visible()
    page.get_by_role("link", name="Referrals").click()
    expect(page.get_by_role("cell", name="Harbourside Traders")).to_be_visible()
    watched.assert_kept_to_itself()
