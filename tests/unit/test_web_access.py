"""Access: one table, enforced before anything else, and equal to the routes."""

import dataclasses
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from shared.web import session
from shared.web.access import PUBLIC, AccessTableBroken, Role
from shared.web.app import create_app
from shared.web.pages import Pages
from tests.servers.visitors import a_user, cookies_of, visitor, walk_access
from tests.servers.web_example import ACCESS, Settings, example_app


def browser_with(app: FastAPI, cookie: str) -> httpx.AsyncClient:
    """A browser that holds this session cookie."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://localhost:8001",
        cookies={"walkandtalk-session": cookie},
    )


async def test_every_route_admits_exactly_the_roles_of_the_table() -> None:
    """Every role, and nobody, is let in where the table says so and nowhere else, with a form token only."""
    assert await walk_access(example_app(), ACCESS) == []


async def test_walk_through_the_routes_notices_a_wrong_table() -> None:
    """The walk is no formality: a table that says otherwise is found out."""
    wrong = await walk_access(example_app(), {**ACCESS, ("GET", "/walks"): PUBLIC})
    assert "GET /walks as nobody: 303" in wrong
    assert "GET /walks as partner: 403" in wrong


@pytest.mark.parametrize(
    ("table", "named"),
    [({}, "without a row: .*'/forgotten'"), ({("GET", "/forgotten"): PUBLIC, ("GET", "/gone"): PUBLIC}, "'/gone'")],
)
def test_service_whose_table_and_routes_differ_does_not_start(table: dict[tuple[str, str], object], named: str) -> None:
    """A route nobody thought about, or a row for nothing, stops the service before it serves."""
    router = APIRouter()

    @router.get("/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(AccessTableBroken, match=named):
        create_app(
            service="intake",
            title="x",
            settings=Settings(),
            routers=[router],
            pages=Pages("intake"),
            access_table=table,  # type: ignore[arg-type]  # rows of the test
        )


async def test_reader_is_sent_to_sign_in_and_back() -> None:
    """A page that needs a sign-in leads there and remembers where to return; a call gets a problem."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(example_app()), base_url="http://localhost:8001"
    ) as nobody:
        page = await nobody.get("/walks?state=routed&team=bs1", headers={"Accept": "text/html"})
        call = await nobody.get("/api/v1/walks/0198c0de-0000-7000-8000-000000000000")
        form = await nobody.post("/walks/0198c0de-0000-7000-8000-000000000000/cancel", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/signin?next=/walks%3Fstate%3Drouted%26team%3Dbs1")
    assert (call.status_code, call.headers["content-type"]) == (401, "application/problem+json")
    assert call.headers["www-authenticate"] == "Bearer"
    assert form.status_code == 401
    assert 'href="/signin"' in form.text


async def test_access_is_checked_before_the_body_is_read() -> None:
    """Nobody learns from the answer to a bad body what a call they may not make would have wanted."""
    async with visitor(example_app()) as nobody:
        path = "/api/v1/walks/not-a-uuid/cancel"
        answer = await nobody.post(path, content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


async def test_session_of_another_secret_is_nobody() -> None:
    """A cookie sealed with another secret, or changed in one place, signs nobody in."""
    app = example_app()
    stranger = example_app(Settings(session_secret="another secret of thirty-two characters"))
    cookie = cookies_of(stranger, a_user(Role.ADMIN))["walkandtalk-session"]
    own = cookies_of(app, a_user(Role.OFFICER))["walkandtalk-session"]
    for bad in (cookie, own[:-6] + ("A" if own[-6] != "A" else "B") + own[-5:], "", "x" * 5000):
        async with browser_with(app, bad) as browser:
            assert (await browser.get("/walks", headers={"Accept": "text/html"})).status_code == 303


async def test_session_of_another_version_is_nobody() -> None:
    """A cookie we sealed before the shape of a session changed asks for a new sign-in."""
    app = example_app()
    contents: tuple[dict[str, object], ...] = ({}, {"user": {"sub": "x"}}, {"user": None}, {"pending": {}})
    for content in contents:
        cookie = session.sealed(app.state.site.session_key, content, datetime.now(UTC))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://localhost:8001",
            cookies={"walkandtalk-session": cookie},
        ) as browser:
            assert (await browser.get("/walks", headers={"Accept": "text/html"})).status_code == 303


async def test_session_ends_after_eight_hours() -> None:
    """A session is good for eight hours from its sign-in, and using it does not prolong it."""
    app = example_app()
    site = app.state.site
    content = {"user": session.text_of(a_user(Role.OFFICER))}
    for age, status in ((timedelta(hours=7, minutes=59), 200), (timedelta(hours=8, minutes=1), 303)):
        cookie = session.sealed(site.session_key, content, datetime.now(UTC) - age)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://localhost:8001",
            cookies={"walkandtalk-session": cookie},
        ) as browser:
            answer = await browser.get("/walks", headers={"Accept": "text/html"})
        assert answer.status_code == status
        assert "walkandtalk-session" not in answer.cookies


async def test_session_says_nothing_to_who_finds_it() -> None:
    """The cookie is encrypted: neither name nor force can be read from it."""
    cookie = cookies_of(example_app(), a_user(Role.OFFICER))["walkandtalk-session"]
    assert "Sam" not in cookie
    assert "northvale" not in cookie


def test_user_cannot_be_changed() -> None:
    """Who is signed in stays who they are for the length of a request."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_user(Role.OFFICER).force_id = "elsewhere"  # type: ignore[misc]  # the fault under test
