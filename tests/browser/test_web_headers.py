"""Every page of every service in a real browser: in a stranger's frame, when it is left, and after sign-out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as Address

from shared.embedded.processes import free_port
from shared.web import session
from shared.web.access import Open, Role
from shared.web.signin import own_path
from tests.browser.conftest import WatchedPage
from tests.misuse.access.redirects import ELSEWHERE
from tests.servers.every_door import Door, doors
from tests.servers.served import served
from tests.servers.two_forces import HOME, TwoForces

pytestmark = pytest.mark.timeout(300)

NO_PAGE = {
    "/health/live",
    "/health/ready",
    "/health/ready/bus",
    "/metrics",
    "/openapi.json",
    "/asyncapi.json",
    "/theme.css",
    "/signin",
    "/signin/callback",
}
"""What people do not look at. Whatever else a GET answers is a page and is tried here."""


def pages(world: TwoForces) -> list[tuple[Door, str]]:
    """Every page with something on it: its door and a whole address. A parameter nobody knows here fails."""
    home = world.work[HOME]
    known = {
        "walk_id": list(home.walks.values()),
        "follow_up_id": [home.follow_up],
        "referral_id": list(home.referrals.values()),
        "request_id": [home.requests["taken"]],
        "force": [HOME],
        "step": ["eligibility", "place"],
        "number": ["1"],
        "token": [home.survey],
    }
    found = []
    for door in doors():
        if door.method != "GET" or door.is_call or door.path in NO_PAGE:
            continue
        filled: list[dict[str, str]] = [{}]
        for name in door.in_path:
            values = [home.private] if name == "token" and door.service == "intake" else known[name]
            filled = [{**one, name: value} for one in filled for value in values]
        found += [(door, world.stack.urls[door.service] + door.at(values)) for values in filled]
    return found


def cookies(world: TwoForces) -> dict[str, str]:
    """A coordinator's browser, which has begun a form as well."""
    signed_in = world.visitor(HOME, Role.COORDINATOR).session
    return {f"walkandtalk-{session.COOKIE}": signed_in, "sitting": world.work[HOME].sitting}


@dataclass
class Stranger:
    """Another site: pages that frame what they are told to, and what browsers told it."""

    origin: str
    told: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            self.told.append((request.url.path, request.headers.get("referer")))
            frames = "".join(f'<iframe src="{address}"></iframe>' for address in request.query_params.getlist("frame"))
            return HTMLResponse(f"<!doctype html><title>x</title><p id=here>here</p>{frames}")

        return Starlette(routes=[Address("/{path:path}", answer, methods=["GET", "POST"])])


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    port = free_port()
    found = Stranger(f"http://localhost:{port}")
    with served(found.app, port):
        yield found


def test_no_page_can_be_framed(two_forces: TwoForces, stranger: Stranger, watched_page: WatchedPage) -> None:
    """In a frame of another page, signed in as ever, no page of any service shows: not of another site, nor our own."""
    watched = watched_page(stranger.origin, cookies=cookies(two_forces))
    addresses = [address for _, address in pages(two_forces)]
    assert len(addresses) > 40
    framed = [f"{stranger.origin}/framed", *addresses]
    watched.page.goto(f"{stranger.origin}/?" + "&".join(f"frame={address}" for address in framed), wait_until="load")
    shown = [frame.url for frame in watched.page.frames[1:]]
    assert len(shown) == len(framed)
    # The stranger's own page can be framed, so the rest could have been seen as well.
    assert [url for url in shown if not url.startswith("chrome-error:")] == [f"{stranger.origin}/framed"]


def test_leaving_a_page_tells_nobody_which(
    two_forces: TwoForces, stranger: Stranger, watched_page: WatchedPage
) -> None:
    """Whoever follows a link from a page of ours, with a secret in its address or without, takes no Referer along."""
    watched = watched_page(stranger.origin, cookies=cookies(two_forces))
    left = {(door.service, door.path): address for door, address in pages(two_forces) if "{" in door.path}
    stranger.told.clear()
    for number, address in enumerate(left.values()):
        watched.page.goto(address)
        watched.page.evaluate(
            "to => document.body.append(Object.assign(document.createElement('a'), {href: to, id: 'leave'}))",
            f"{stranger.origin}/{number}",
        )
        watched.page.evaluate("document.getElementById('leave').click()")
        watched.page.wait_for_url(f"{stranger.origin}/{number}")
    assert [referer for path, referer in stranger.told if path != "/favicon.ico"] == [None] * len(left)


def test_going_back_after_sign_out_shows_nothing(two_forces: TwoForces, watched_page: WatchedPage) -> None:
    """The pages somebody looked at before the sign-out are asked for anew when the next person goes back to them, and
    lead to the sign-in."""
    urls = two_forces.stack.urls
    watched = watched_page(urls["assignment"], cookies=cookies(two_forces))
    page = watched.page
    # One page of each kind.
    kinds = {
        (door.service, door.path): address
        for door, address in pages(two_forces)
        if not isinstance(door.rule, Open) and door.admits(Role.COORDINATOR)
    }
    visited = list(kinds.values())
    shown = []
    for address in visited:
        answer = page.goto(address)
        if answer is not None and answer.ok and page.url == address:
            shown.append(address)
    assert len(shown) > 15
    page.goto(urls["assignment"] + "/queue")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/signed-out")
    seen = []
    for _ in range(len(visited)):
        page.go_back()
        if page.url.startswith(tuple(urls[service] for service in two_forces.stack.services)):
            seen.append(page.url)
    assert seen == []


def test_browser_agrees_where_a_sign_in_may_lead(two_forces: TwoForces, watched_page: WatchedPage) -> None:
    """What we take for a path of our own is one to the browser too, however the address was written."""
    origin = two_forces.stack.urls["intake"]
    watched = watched_page(origin)
    watched.page.goto(origin)
    read = "all => all.map(one => { try { return new URL(one, location.href).origin } catch { return 'none' } })"
    led = watched.page.evaluate(read, [own_path(one) for one in ELSEWHERE])
    assert set(led) == {origin}
    # Taken as they are, most of them would have led away.
    away = [one for one in watched.page.evaluate(read, list(ELSEWHERE)) if one not in (origin, "none")]
    assert len(away) > len(ELSEWHERE) / 3
