"""Forged, stale and bent tokens, cookies and links at the doors of all four services, as production builds them."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.intake.ring import Ring
from services.intake.vault import CannotOpen, Vault
from shared.contracts.catalogue import SERVICES
from shared.contracts.kinds import SurveyName
from shared.survey_link import SurveyLinkExpired, SurveyLinkInvalid, Ticket
from shared.web import session
from shared.web.access import Role
from shared.web.session import User
from shared.web.site import Site
from tests.servers.all_services import app_of
from tests.servers.odd_provider import OddProvider, odd_provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORCE = "avon-and-somerset"
OFFICER = User("officer-avon-1", "PC Amina Yusuf", frozenset({Role.OFFICER}), FORCE, "bs1")


@pytest.fixture(scope="module")
def provider() -> Iterator[OddProvider]:
    """A provider whose words are ours to bend."""
    with odd_provider() as found:
        yield found


@pytest.fixture
def odd(provider: OddProvider) -> OddProvider:
    """The same with its words straight again: those of an access token."""
    provider.claims |= {"force_id": FORCE}
    provider.claims.pop("nonce", None)
    return provider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(provider: OddProvider) -> AsyncIterator[dict[str, FastAPI]]:
    """All four services, trusting that provider."""
    async with AsyncExitStack() as stack:
        found = {service: app_of(service, oidc_issuer=provider.issuer) for service in SERVICES}
        for app in found.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield found


def visitor(app: FastAPI, **headers: str) -> httpx.AsyncClient:
    """Somebody at this service's door, with these headers and no cookies."""
    site: Site = app.state.site
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=site.own_url,
        headers={"Accept": "application/json", **headers},
    )


def part(content: Any) -> str:
    """A part of a token: base64 of JSON, or of bytes as they are."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(odd: OddProvider, claims: dict[str, Any] | None = None, key: Any = None, **header: Any) -> str:
    """A token of the provider's claims, some of them (None: left out) and the header changed."""
    changed = {name: value for name, value in (odd.claims | (claims or {})).items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": odd.key.kid, **header}, changed, key or odd.key)


def forgeries(odd: OddProvider) -> dict[str, str]:
    """Tokens that nobody may be let in by, each with what is wrong with it."""
    header, payload, signature = signed(odd).split(".")
    own = RSAKey.generate_key(2048, {"kid": "one"})
    public = odd.key.as_pem(private=False)
    symmetric = f"{part({'alg': 'HS256', 'kid': odd.key.kid})}.{payload}"
    found = {
        "claims promoted": f"{header}.{part(odd.claims | {'roles': ['admin']})}.{signature}",
        "payload gone": f"{header}..{signature}",
        "signature gone": f"{header}.{payload}.",
        "truncated": f"{header}.{payload}.{signature[:-8]}",
        "half": f"{header}.{payload}",
        "another key under a known name": signed(odd, key=own),
        "unknown kid": signed(odd, key=own, kid="two"),
        "its own key": signed(odd, key=own, jwk=own.as_dict(private=False)),
        "a key from elsewhere": signed(odd, key=own, jku="https://evil.example/keys"),
        "signed with the public key": f"{symmetric}.{part(hmac.digest(public, symmetric.encode(), 'sha256'))}",
        "nested too deep": f"{part(b'[' * 400)}.{payload}.{signature}",
        "not UTF-8": f"{part(bytes([255, 254]))}.{payload}.{signature}",
        "encrypted": f"{part({'alg': 'dir', 'enc': 'A128GCM', 'kid': 'one'})}..AAAA.AAAA.AAAA",
        "dots": "." * 9,
        "a session cookie": "gAAAAAB" + "x" * 200,
        "long": "x" * 60_000,
    }
    algorithms: list[Any] = ["none", "None", "NONE", "nOnE", "", "HS256", "RS1", None, 5, ["RS256"], {}]
    for alg in algorithms:
        found[f"alg {alg!r}"] = f"{part({'alg': alg, 'kid': 'one'})}.{payload}.{signature if alg else ''}"
    names: list[Any] = [{}, ["one"], 5, "../../dev/null", "one' OR '1'='1"]
    for kid in names:
        found[f"kid {kid!r}"] = f"{part({'alg': 'RS256', 'kid': kid})}.{payload}.{signature}"
    headers: list[Any] = [[], "x", 5, None, {"alg": "RS256", "crit": ["exp"], "kid": "one"}]
    for whole in headers:
        found[f"header {whole!r}"] = f"{part(whole)}.{payload}.{signature}"
    return found


BENT: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 3600},
    "without an end": {"exp": None},
    "an end that is no time": {"exp": "tomorrow"},
    "not yet valid": {"nbf": int(time.time()) + 3600},
    "issued in the future": {"iat": int(time.time()) + 3600},
    "another issuer": {"iss": "http://elsewhere.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another-client"},
    "no audience": {"aud": None},
    "several others' audience": {"aud": ["another-client", "a-third"]},
    "an audience that is no name": {"aud": {"walkandtalk": True}},
    "nobody": {"sub": None},
    "a subject that is no text": {"sub": 5},
    "an ID token": {"nonce": "n"},
    "another force": {"force_id": "elsewhere"},
    "no force where there are several": {"force_id": None},
    "two forces": {"force_id": [FORCE, "metropolitan"]},
    "two forces in one text": {"force_id": f"{FORCE},metropolitan"},
    "every force": {"force_id": "*"},
    "no role": {"roles": []},
    "roles that are a number": {"roles": 5},
    "roles that are an object": {"roles": {"officer": True}},
    "a partner of nobody": {"roles": ["partner"]},
    "an officer of a partner": {"partner_id": "bristol-city-council"},
}


async def test_straight_token_is_let_in(odd: OddProvider, services: dict[str, FastAPI]) -> None:
    """The token this module bends in every way opens each service while it is straight."""
    for service, app in services.items():
        async with visitor(app, Authorization=f"Bearer {signed(odd)}") as browser:
            assert (await browser.get("/me")).status_code == 200, service


async def test_no_forged_token_is_let_in(odd: OddProvider, services: dict[str, FastAPI]) -> None:
    """Changed, unsigned, signed with the wrong or the public key, or no token at all: 401 at every door, never 500."""
    let_in = []
    for service, app in services.items():
        for what, token in forgeries(odd).items():
            async with visitor(app) as browser:
                answer = await browser.get("/me", headers={"Authorization": f"Bearer {token}"})
            if answer.status_code != 401:
                let_in.append(f"{service}: {what}: {answer.status_code}")
    assert let_in == []


@pytest.mark.parametrize("what", BENT)
async def test_no_bent_claim_is_let_in(odd: OddProvider, services: dict[str, FastAPI], what: str) -> None:
    """A well signed token of another time, issuer, audience, force or role is refused as if it were forged."""
    token = signed(odd, BENT[what])
    for service, app in services.items():
        async with visitor(app, Authorization=f"Bearer {token}") as browser:
            assert (await browser.get("/me")).status_code == 401, service


def cookie_of(app: FastAPI, content: dict[str, Any] | None = None, age: timedelta = timedelta(0)) -> str:
    """A session as the service itself would seal it, this old."""
    site: Site = app.state.site
    return session.sealed(site.session_key, content or {"user": session.text_of(OFFICER)}, datetime.now(UTC) - age)


async def opens(app: FastAPI, cookie: str) -> bool:
    """Whether somebody is signed in by this cookie; fails where the answer is neither yes nor no."""
    async with visitor(app) as browser:
        name = app.state.site.cookie(session.COOKIE)
        status = (await browser.get("/me", headers={"Cookie": f"{name}={cookie}"})).status_code
    assert status in (200, 401)
    return status == 200


async def test_session_of_another_time_or_shape_is_nobody(services: dict[str, FastAPI]) -> None:
    """Past its eight hours, from the future, altered in any place, cut short, or sealed for a sign-in: nobody."""
    for app in services.values():
        good = cookie_of(app)
        assert await opens(app, good)
        assert await opens(app, cookie_of(app, age=timedelta(hours=7, minutes=59)))
        assert not await opens(app, cookie_of(app, age=timedelta(hours=8, seconds=2)))
        assert not await opens(app, cookie_of(app, age=-timedelta(minutes=5)))
        assert not await opens(app, cookie_of(app, {"pending": {"state": "s", "next": "/"}}))
        for at in range(0, len(good.rstrip("=")) - 1, 17):
            assert not await opens(app, good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]), at
            assert not await opens(app, good[:at])


@pytest.mark.parametrize("force", ["elsewhere", "", f"{FORCE},metropolitan", "*", "a'; DROP TABLE walk; --"])
async def test_session_of_a_force_not_served_is_nobody(services: dict[str, FastAPI], force: str) -> None:
    """A force that is served no longer, or that no force ever was, loses its sessions at once and breaks nothing."""
    content = {"user": session.text_of(OFFICER) | {"force": force}}
    for app in services.values():
        assert not await opens(app, cookie_of(app, content))


async def test_session_ends_when_the_provider_may_no_longer_speak_for_its_force(odd: OddProvider) -> None:
    """Where the provider is trusted with one force only, sessions of the others are nobody's."""
    app = app_of("assignment", oidc_issuer=odd.issuer, oidc_forces=("metropolitan",))
    async with app.router.lifespan_context(app):
        assert not await opens(app, cookie_of(app))


async def signing_in(app: FastAPI, odd: OddProvider, browser: httpx.AsyncClient) -> dict[str, str]:
    """Begin a sign-in; what the provider's answer has to carry, its next token made to fit."""
    question = parse_qs(urlsplit((await browser.get("/signin")).headers["location"]).query)
    odd.claims["nonce"] = question["nonce"][0]
    return {"code": "code", "state": question["state"][0]}


async def test_straight_answer_of_the_provider_signs_in(odd: OddProvider, services: dict[str, FastAPI]) -> None:
    """The answer that is bent below signs in while it is straight, with the issuer named (RFC 9207) and without."""
    for app in services.values():
        for named in ({}, {"iss": odd.issuer}, {"iss": odd.issuer + "/"}):
            async with visitor(app) as browser:
                answer = await browser.get("/signin/callback", params=await signing_in(app, odd, browser) | named)
                assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "bent",
    [
        {"state": "of-another-sign-in"},
        {"state": ""},
        {"state": "\N{SNOWMAN}"},
        {"code": None},
        {"iss": "http://elsewhere.example"},
        {"iss": ""},
        {"code": None, "error": "access_denied", "error_description": "<script>alert(1)</script>"},
        {"error": "server_error"},
        {"code": None, "error": "login_required", "error_uri": "https://evil.example/"},
    ],
)
async def test_bent_answer_of_the_provider_signs_nobody_in(
    odd: OddProvider, services: dict[str, FastAPI], bent: dict[str, str | None]
) -> None:
    """Another state or issuer, no code, or an error is refused, and nothing of it is repeated on the page."""
    for app in services.values():
        async with visitor(app) as browser:
            sent = await signing_in(app, odd, browser) | bent
            answer = await browser.get(
                "/signin/callback",
                params={name: value for name, value in sent.items() if value is not None},
                headers={"Accept": "text/html"},
            )
            assert answer.status_code == 403
            assert session.COOKIE not in "".join(browser.cookies.keys())
            assert not any(value in answer.text for name, value in bent.items() if value and name.startswith("error_"))


async def test_sign_in_began_elsewhere_is_not_finished_here(odd: OddProvider, services: dict[str, FastAPI]) -> None:
    """An attacker's own state and code, brought to another browser, sign nobody in (sign-in CSRF), nor do they at
    another service, nor after ten minutes, nor a second time."""
    apps = list(services.values())
    for app, other in zip(apps, apps[1:] + apps[:1], strict=True):
        async with visitor(app) as attacker, visitor(app) as victim, visitor(other) as elsewhere:
            sent = await signing_in(app, odd, attacker)
            await victim.get("/signin")
            assert (await victim.get("/signin/callback", params=sent)).status_code == 403
            assert (await elsewhere.get("/signin/callback", params=sent)).status_code == 403
            assert (await attacker.get("/signin/callback", params=sent)).status_code == 303
            assert (await attacker.get("/signin/callback", params=sent)).status_code == 403
        site: Site = app.state.site
        stale = {"pending": {"state": "s", "verifier": "v", "nonce": "n", "next": "/"}}
        late = session.sealed(site.session_key, stale, datetime.now(UTC) - timedelta(minutes=11))
        async with visitor(app, Cookie=f"{site.cookie('signin')}={late}") as browser:
            assert (await browser.get("/signin/callback?state=s&code=c")).status_code == 403


async def test_sign_in_makes_a_session_of_its_own(odd: OddProvider, services: dict[str, FastAPI]) -> None:
    """A cookie planted before the sign-in is not what the person is signed in by afterwards (session fixation)."""
    for app in services.values():
        name = app.state.site.cookie(session.COOKIE)
        async with visitor(app) as browser:
            planted = cookie_of(app, {"user": session.text_of(OFFICER) | {"sub": "attacker"}})
            browser.cookies.set(name, planted)
            answer = await browser.get("/signin/callback", params=await signing_in(app, odd, browser))
            given = answer.headers["set-cookie"].partition(f"{name}=")[2].partition(";")[0]
        assert given not in ("", planted)
        assert await opens(app, given)


async def test_every_cookie_is_kept_from_scripts_other_sites_and_plain_http(odd: OddProvider) -> None:
    """On https each cookie is HttpOnly, SameSite=Lax, Secure, and bound to its host and the whole of it."""
    for service in SERVICES:
        app = app_of(service, oidc_issuer=odd.issuer, **{f"{service}_url": f"https://{service}.example"})
        async with app.router.lifespan_context(app), visitor(app) as browser:
            first = await browser.get("/signin")
            question = parse_qs(urlsplit(first.headers["location"]).query)
            odd.claims["nonce"] = question["nonce"][0]
            back = {"code": "code", "state": question["state"][0]}
            answers = [
                first,
                await browser.get("/signin/callback", params=back),
                await browser.get("/me", headers={"Accept": "text/html"}),
            ]
            given = [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]
        assert len(given) == 4, given  # the pending sign-in, its end, the session, the form
        for cookie in given:
            assert cookie.startswith("__Host-walkandtalk-")
            attributes = {one.strip().lower() for one in cookie.split(";")[1:]}
            assert {"httponly", "samesite=lax", "secure", "path=/"} <= attributes
            assert not any(one.startswith("domain") for one in attributes)


def altered(token: str) -> Iterator[str]:
    """The token with every one of its characters changed, with characters put in, and cut."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at, letter in enumerate(token):
        yield token[:at] + letters[(letters.index(letter) + 1) % 64] + token[at + 1 :]
    # The last character has bits that mean nothing: a lax reader takes several for the same.
    yield from (token[:-1] + letter for letter in letters if letter != token[-1])
    for odd in ("!", "=", "==", "====", ".", " ", "%", "\n", "?x=1", "+", "/", "\0", "é", "\N{SNOWMAN}"):
        yield token + odd
        yield token[:20] + odd + token[20:]
        yield odd + token
    yield from (token[:at] for at in range(0, len(token), 9))
    yield token + token


async def test_survey_link_opens_as_it_was_sent_or_not_at_all() -> None:
    """No altered survey link means anything, not even the same; nor one sealed under another key, nor a stale one."""
    key, now = bytes(range(32)), datetime.now(UTC)
    ticket = Ticket(FORCE, SurveyName.AFTER_WALK, uuid4(), "sealed", now + timedelta(days=1))
    token = ticket.token(key)
    assert Ticket.read(token, key, now).pair_id == ticket.pair_id
    for bad in (*altered(token), ticket.token(bytes(32)), "gAAAAABn" + token[8:]):
        with pytest.raises(SurveyLinkInvalid):
            Ticket.read(bad, key, now)
    with pytest.raises(SurveyLinkExpired):
        Ticket.read(token, key, now + timedelta(days=1))


async def test_private_link_opens_as_it_was_sent_or_not_at_all() -> None:
    """No altered private link means anything, nor does a reference sealed for another purpose."""
    vault = Vault(Ring(bytes(range(32))))
    token = vault.seal_text("private link", [FORCE, uuid4().hex])
    assert vault.open_text("private link", token)[0] == FORCE
    for bad in (*altered(token), vault.seal_text("contact reference", [FORCE, uuid4().hex])):
        with pytest.raises(CannotOpen):
            vault.open_text("private link", bad)
