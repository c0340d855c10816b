"""No parameter of any route leads to another origin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from shared.contracts.catalogue import SERVICES
from shared.web.access import Open, Role
from tests.misuse.access.redirects import ELSEWHERE
from tests.servers.all_services import app_of
from tests.servers.every_door import Door, Visits, doors, plainly, visiting
from tests.servers.odd_provider import OddProvider, odd_provider
from tests.servers.two_forces import HOME, TwoForces

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

NAMES = ("next", "url", "to", "redirect", "redirect_uri", "return", "return_to", "continue", "done", "change", "back")


def leads_away(location: str, origin: str) -> bool:
    """Whether a browser standing at the origin would leave it (URL standard: controls are dropped, \\ is /)."""
    read = "".join(character for character in location if ord(character) > 32).replace("\\", "/")
    if read.startswith("//"):
        return True
    return bool(urlsplit(read).scheme) and not read.startswith(origin + "/")


@pytest.fixture(scope="module")
def provider() -> Iterator[OddProvider]:
    with odd_provider() as found:
        found.claims["force_id"] = HOME
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(provider: OddProvider) -> AsyncIterator[FastAPI]:
    found = app_of("assignment", oidc_issuer=provider.issuer)
    async with found.router.lifespan_context(found):
        yield found


@pytest.mark.parametrize("target", ELSEWHERE, ids=ascii)
async def test_sign_in_leads_nowhere_else(provider: OddProvider, app: FastAPI, target: str) -> None:
    """A whole sign-in begun with an address of another origin ends on this one, by one Location and no more headers."""
    origin = app.state.site.own_url
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=origin) as browser:
        begun = await browser.get("/signin", params={"next": target})
        if "\0" in target:
            assert begun.status_code in (400, 422)
            return
        question = parse_qs(urlsplit(begun.headers["location"]).query)
        provider.claims["nonce"] = question["nonce"][0]
        back = await browser.get("/signin/callback", params={"code": "c", "state": question["state"][0]})
    assert back.status_code == 303
    (location,) = back.headers.get_list("location")
    assert not leads_away(location, origin), location


@pytest.mark.parametrize("service", SERVICES)
async def test_no_route_leads_away_by_what_it_is_given(two_forces: TwoForces, service: str) -> None:
    """Each page and call, with such an address in every place of its path, in every parameter it takes and in those
    that redirects are usually made of: where it redirects at all, it stays on its origin or goes to the sign-in."""
    origin = two_forces.stack.urls[service]
    allowed = (origin + "/", two_forces.stack.urls["identity"] + "/")
    wrong: list[str] = []
    coordinator = two_forces.visitor(HOME, Role.COORDINATOR)

    async def ask(visits: Visits, door: Door, target: str) -> None:
        values = {name: target if plainly(kind) is str else "1" for name, kind in door.in_path.items()}
        query = dict.fromkeys({*NAMES, *door.in_query} - {"page"}, target)
        who = None if isinstance(door.rule, Open) else coordinator
        answer = await visits.visit(door, door.at(values, **query), who)
        assert answer.status_code < 500, (str(door), target)
        location = answer.headers.get("location", "/")
        if leads_away(location, origin) and not location.startswith(allowed):
            wrong.append(f"{door} {target!r}: {location}")

    async with visiting(two_forces) as visits:
        ways_in = [door for door in doors() if door.service == service and door.method == "GET"]
        for number, door in enumerate(ways_in):
            # Another part of the list for each, all of it for every few of them.
            for target in ELSEWHERE[number % 5 :: 5]:
                await ask(visits, door, target)
    assert wrong == []
