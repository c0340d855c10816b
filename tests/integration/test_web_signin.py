"""Sign-in against a real identity provider: code flow with PKCE, state and nonce, sessions, access tokens."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from shared.embedded.sign_in import bearer_token
from shared.web import session
from tests.servers.web_example import Settings, example_app

OFFICER = "officer-avon-1"
WALK = "/api/v1/walks/0198c0de-0000-7000-8000-000000000000"


class IdentityProvider(Protocol):
    """The running provider of the fixture."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass
class Visit:
    """A service and a browser that visits it."""

    app: FastAPI
    browser: httpx.AsyncClient
    provider: IdentityProvider

    async def provider_address(self, target: str = "/walks") -> str:
        """Where /signin sends the browser."""
        answer = await self.browser.get("/signin", params={"next": target})
        assert answer.status_code == 303
        return answer.headers["location"]

    async def callback_address(self, sub: str = OFFICER, target: str = "/walks") -> str:
        """Where the provider sends the browser back to, after this person was chosen there."""
        async with httpx.AsyncClient() as outside:
            answer = await outside.post(await self.provider_address(target), data={"sub": sub})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    async def sign_in(self, sub: str = OFFICER, target: str = "/walks") -> httpx.Response:
        """The whole sign-in, up to the answer of the callback."""
        return await self.browser.get(await self.callback_address(sub, target))


def settings_for(provider: IdentityProvider, *forces: str, **changed: object) -> Settings:
    """Settings of a service that trusts this provider for these forces."""
    return Settings(
        oidc_issuer=provider.issuer,
        oidc_client_id=provider.client_id,
        oidc_client_secret=SecretStr(provider.client_secret),
        oidc_forces=forces or ("avon-and-somerset", "metropolitan"),
    ).model_copy(update=changed)


async def visit_of(provider: IdentityProvider, settings: Settings) -> AsyncIterator[Visit]:
    """A started service and a browser."""
    app = example_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost:8001", headers={"Accept": "text/html"}
        ) as browser:
            yield Visit(app, browser, provider)


@pytest.fixture
async def visit(identity_provider: IdentityProvider) -> AsyncIterator[Visit]:
    """A service that trusts the provider for both forces."""
    async for one in visit_of(identity_provider, settings_for(identity_provider)):
        yield one


async def test_officer_signs_in_and_comes_back_to_the_page(visit: Visit) -> None:
    """A sign-in ends on the page it began at, as the person with the roles, force and team the provider names."""
    assert (await visit.browser.get("/walks")).headers["location"] == "/signin?next=/walks"
    answer = await visit.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/walks")
    assert (await visit.browser.get("/walks")).status_code == 200
    me = (await visit.browser.get("/me")).text
    assert "officer" in me
    assert "bs1" in me


async def test_sign_in_asks_with_pkce_state_and_nonce(visit: Visit) -> None:
    """What goes to the provider binds the code to this browser and to this service."""
    question = parse_qs(urlsplit(await visit.provider_address()).query)
    assert question["code_challenge_method"] == ["S256"]
    assert question["response_type"] == ["code"]
    assert len(question["state"][0]) >= 32
    assert len(question["nonce"][0]) >= 32
    assert question["redirect_uri"] == ["http://localhost:8001/signin/callback"]


async def test_session_cookie_is_kept_from_scripts_and_other_sites(visit: Visit) -> None:
    """The session cookie is HttpOnly and Lax, and lasts eight hours."""
    cookie = (await visit.sign_in()).headers["set-cookie"]
    assert "walkandtalk-session=" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=28800" in cookie


async def test_cookies_insist_on_https_where_there_is_https(identity_provider: IdentityProvider) -> None:
    """On https the cookies are Secure and bound to the host, and browsers are told to stay on https."""
    settings = settings_for(identity_provider, intake_url="https://intake.example.org")
    async for visit in visit_of(identity_provider, settings):
        answer = await visit.browser.get("/signin")
        assert answer.headers["set-cookie"].startswith("__Host-walkandtalk-signin=")
        assert "Secure" in answer.headers["set-cookie"]
        assert "Path=/" in answer.headers["set-cookie"]
        assert "max-age=" in answer.headers["strict-transport-security"]
        page = await visit.browser.get("/request")
        assert page.headers["set-cookie"].startswith("__Host-walkandtalk-form=")


async def test_sign_in_leads_to_no_other_origin(visit: Visit) -> None:
    """A next address of another origin is dropped."""
    answer = await visit.sign_in(target="https://evil.example/")
    assert answer.headers["location"] == "/"


async def test_answer_nobody_asked_for_is_refused(visit: Visit) -> None:
    """A callback with another state, without the browser's own cookie, or used twice, signs nobody in."""
    address = await visit.callback_address()
    forged = await visit.browser.get(address.replace("state=", "state=x"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(visit.app), base_url="http://localhost:8001") as other:
        elsewhere = await other.get(address)
    assert [forged.status_code, elsewhere.status_code] == [403, 403]
    assert "could not be signed in" in forged.text
    assert (await visit.browser.get(address)).status_code == 303
    assert (await visit.browser.get(address)).status_code == 403


async def test_code_is_worth_nothing_without_the_verifier(visit: Visit) -> None:
    """A code caught on its way, put into another browser's sign-in, is refused by the provider (PKCE) and by us."""
    caught = parse_qs(urlsplit(await visit.callback_address()).query)["code"][0]
    state = parse_qs(urlsplit(await visit.provider_address()).query)["state"][0]
    answer = await visit.browser.get("/signin/callback", params={"code": caught, "state": state})
    assert answer.status_code == 403
    assert "walkandtalk-session" not in visit.browser.cookies


async def test_person_who_says_no_at_the_provider_is_told(visit: Visit) -> None:
    """An error from the provider becomes a page that offers another try."""
    state = parse_qs(urlsplit(await visit.provider_address()).query)["state"][0]
    answer = await visit.browser.get("/signin/callback", params={"error": "access_denied", "state": state})
    assert answer.status_code == 403
    assert 'href="/signin"' in answer.text


async def test_provider_speaks_only_for_its_own_forces(identity_provider: IdentityProvider) -> None:
    """A claim of a force this provider was not trusted with signs nobody in, by page or by token."""
    async for visit in visit_of(identity_provider, settings_for(identity_provider, "metropolitan")):
        assert (await visit.sign_in()).status_code == 403
        token = await bearer_token(
            identity_provider.issuer, identity_provider.client_id, identity_provider.client_secret, OFFICER
        )
        assert (await visit.browser.get(WALK, headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_signing_out_ends_the_session(visit: Visit) -> None:
    """After signing out the pages ask for a sign-in again; signing out itself takes a form of our own page."""
    await visit.sign_in()
    assert (await visit.browser.post("/signout")).status_code == 403
    page = (await visit.browser.get("/walks")).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = await visit.browser.post("/signout", data={"csrf_token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/signed-out")
    assert (await visit.browser.get("/walks")).status_code == 303
    assert f"{visit.provider.issuer}/oauth2/end_session" in (await visit.browser.get("/signed-out")).text


async def test_access_token_opens_what_its_roles_allow(visit: Visit) -> None:
    """Another system's token is its user: let in by role, refused by role, and needs no form token."""
    provider = visit.provider
    statuses = {}
    for sub in (OFFICER, "analyst-avon"):
        token = await bearer_token(provider.issuer, provider.client_id, provider.client_secret, sub)
        headers = {"Authorization": f"Bearer {token}"}
        cancel = await visit.browser.post(WALK + "/cancel", headers=headers)
        statuses[sub] = ((await visit.browser.get(WALK, headers=headers)).status_code, cancel.status_code)
    assert statuses == {OFFICER: (200, 403), "analyst-avon": (403, 403)}


async def test_token_that_was_tampered_with_is_refused(visit: Visit) -> None:
    """Changed claims, another key, no signature, another audience or plain nonsense open nothing."""
    provider = visit.provider
    good = await bearer_token(provider.issuer, provider.client_id, provider.client_secret, OFFICER)
    header, payload, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    promoted = base64.urlsafe_b64encode(json.dumps(claims | {"roles": ["admin"]}).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    own_key = RSAKey.generate_key(2048)
    own = jwt.encode({"alg": "RS256", "kid": "x"}, claims, own_key)
    bad = [
        f"{header}.{promoted}.{signature}",
        f"{unsigned}.{payload}.",
        own,
        "nonsense",
        "a.b.c",
        good[:-8],
    ]
    for token in bad:
        answer = await visit.browser.get(WALK, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, token
    assert (await visit.browser.get(WALK, headers={"Authorization": f"Bearer {good}"})).status_code == 200


async def test_identity_token_is_no_access_token(visit: Visit) -> None:
    """What the provider tells our pages about a person cannot be used as a key to the API."""
    address = await visit.callback_address()
    code = parse_qs(urlsplit(address).query)["code"][0]
    pending_cookie = visit.browser.cookies["walkandtalk-signin"]
    pending = session.opened(visit.app.state.site.session_key, pending_cookie, datetime.now(UTC), timedelta(hours=1))
    assert pending is not None
    async with httpx.AsyncClient() as outside:
        tokens = await outside.post(
            visit.provider.issuer + "/oauth2/token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": "http://localhost:8001/signin/callback",
                "code_verifier": pending["pending"]["verifier"],
            },
            auth=(visit.provider.client_id, visit.provider.client_secret),
        )
    token = tokens.json()["id_token"]
    answer = await visit.browser.get(WALK, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_provider_that_is_away_stops_signing_in_and_nothing_else(identity_provider: IdentityProvider) -> None:
    """With the provider away a sign-in says to come back, while pages and sessions go on."""
    away = settings_for(identity_provider, oidc_issuer="http://localhost:1")
    async for visit in visit_of(identity_provider, settings_for(identity_provider)):
        cookie = (await visit.sign_in()).cookies["walkandtalk-session"]
    async for visit in visit_of(identity_provider, away):
        answer = await visit.browser.get("/signin")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert (await visit.browser.get("/request")).status_code == 200
        visit.browser.cookies.set("walkandtalk-session", cookie)
        assert (await visit.browser.get("/walks")).status_code == 200
