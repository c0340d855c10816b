"""The data protection officer's pages in a browser."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from playwright.sync_api import expect

from shared.web.access import Role
from tests.browser.conftest import WatchedPage
from tests.browser.test_intake_pages import app, asked, assert_decent, origin, port, service, taken_picture
from tests.servers.intake_service import FORCE
from tests.servers.visitors import a_user, cookies_of

__all__ = ["app", "origin", "port", "service"]


def test_an_officer_finds_copies_and_erases_by_keyboard_or_mouse(
    app: FastAPI, origin: str, watched_page: WatchedPage, tmp_path: Path
) -> None:
    """From the menu: what is missing is said, what is found leads on, the copy comes as a file, and she is erased after
    a page that says what goes. Axe finds nothing on any of them, and no address holds what was typed."""
    asked(origin)
    watched = watched_page(origin, 1280, cookies=cookies_of(app, a_user(Role.AUDITOR, force_id=FORCE)))
    page = watched.page
    page.goto(f"{origin}/me")
    page.get_by_role("link", name="Data protection").click()
    assert_decent(page)
    taken_picture(page, "data-protection")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter why you search")
    assert_decent(page)
    page.get_by_label("Name", exact=True).check()
    page.get_by_label("What to search for").fill("ÁDA")
    page.get_by_label("Why do you search?").fill("She wrote to us on Monday")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("main")).to_contain_text("Looked through the names of 1 of 1 women")
    assert "ADA" not in page.url.upper()
    assert_decent(page)
    taken_picture(page, "data-protection-found")
    page.get_by_role("link", name="WT-").click()
    assert_decent(page)
    taken_picture(page, "data-protection-request")
    page.get_by_label("JSON, for programs").check()
    page.get_by_label("Why is a copy made?").fill("She asked for it")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download the copy").click()
    coming.value.save_as(tmp_path / "copy.json")
    assert "Ada" in (tmp_path / "copy.json").read_text()
    page.get_by_role("link", name="Erase all that is held about her").click()
    assert_decent(page)
    taken_picture(page, "data-protection-erase")
    page.get_by_label("Why is she erased?").fill("She asked for it")
    page.get_by_role("button", name="Erase it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("It is erased")
    assert_decent(page)
    watched.assert_kept_to_itself()
