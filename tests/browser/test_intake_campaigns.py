"""What a coordinator sees of campaigns: links, QR codes that lead to them, and what each brought."""

from __future__ import annotations

import numpy as np
import zxingcpp
from fastapi import FastAPI
from playwright.sync_api import expect

from shared.web.access import Role
from tests.browser.conftest import WatchedPage
from tests.browser.test_intake_hers import taken_picture
from tests.browser.test_intake_map import app
from tests.browser.test_intake_pages import assert_decent, origin, port, service
from tests.servers.intake_service import FORCE
from tests.servers.visitors import a_user, cookies_of

__all__ = ["app", "origin", "port", "service"]

GREYS = """picture => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [480, 480];
    const drawn = canvas.getContext('2d');
    drawn.drawImage(picture, 0, 0, 480, 480);
    return Array.from(drawn.getImageData(0, 0, 480, 480).data.filter((_, at) => at % 4 === 0));
}"""


def test_each_code_on_the_page_leads_to_the_link_beside_it(
    app: FastAPI, origin: str, watched_page: WatchedPage
) -> None:
    """Read as the browser draws it; and it can be saved."""
    coordinator = a_user(Role.COORDINATOR, force_id=FORCE)
    watched = watched_page(origin, 1280, cookies=cookies_of(app, coordinator))
    page = watched.page
    page.goto(f"{origin}/staff/campaigns")
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Campaigns")).to_be_visible()
    codes = page.get_by_role("img", name="QR code of")
    expect(codes).to_have_count(3)
    taken_picture(page, "campaigns", 1280)
    for row in page.locator("tbody tr").all()[:3]:
        greys = row.get_by_role("img").evaluate(GREYS)
        [found] = zxingcpp.read_barcodes(np.asarray(greys, dtype=np.uint8).reshape(480, 480))
        assert found.text == row.locator(".walk-address").inner_text()
        assert found.text.startswith(f"{origin}/{FORCE}/?from=")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the QR code of Posters in libraries as SVG").click()
    assert saved.value.suggested_filename == "library-posters.svg"
    assert_decent(page)
    page.set_viewport_size({"width": 375, "height": 800})
    taken_picture(page, "campaigns", 375)
    watched.assert_kept_to_itself()
