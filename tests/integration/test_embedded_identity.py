"""The demo identity provider: made-up people sign in as with a real one, and it runs nowhere but in the demo."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from shared.embedded.demo_people import people, person, teams
from shared.embedded.sign_in import SignInRefused, bearer_token
from tests.servers.local_programs import IdentityServer

VERIFIER = "a-verifier-of-at-least-forty-three-characters-in-length"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CALLBACK = "http://localhost:8001/signin/callback"


def question(provider: IdentityServer, **changes: str) -> dict[str, str]:
    """What a service asks the provider on a person's behalf."""
    return {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }


def choose(provider: IdentityServer, sub: str, **changes: str) -> httpx.Response:
    """Press a person's button on the sign-in page."""
    return httpx.post(f"{provider.issuer}/oauth2/authorize", params=question(provider, **changes), data={"sub": sub})


def exchange(provider: IdentityServer, code: str, verifier: str = VERIFIER) -> httpx.Response:
    """Exchange a code for tokens."""
    return httpx.post(
        f"{provider.issuer}/oauth2/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier},
        auth=(provider.client_id, provider.client_secret),
    )


def code_of(response: httpx.Response) -> str:
    """The code in the redirect back to the service."""
    return parse_qs(urlsplit(response.headers["location"]).query)["code"][0]


def claims_of(provider: IdentityServer, token: str) -> dict[str, object]:
    """The claims of a token whose signature fits the provider's published keys."""
    keys = KeySet.import_key_set(httpx.get(f"{provider.issuer}/jwks").json())
    return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)


def test_a_person_signs_in_by_choosing_herself_on_the_page(identity_provider: IdentityServer) -> None:
    """The page offers every demo person; choosing one gives an identity token with role, force and team."""
    page = httpx.get(f"{identity_provider.issuer}/oauth2/authorize", params=question(identity_provider))
    assert all(f'value="{one.sub}"' in page.text for one in people())
    chosen = choose(identity_provider, "officer-avon-1")
    assert chosen.headers["location"].startswith(CALLBACK)
    tokens = exchange(identity_provider, code_of(chosen)).json()
    claims = claims_of(identity_provider, tokens["id_token"])
    assert {name: claims[name] for name in ("iss", "aud", "sub", "nonce", "roles", "force_id", "team_id")} == {
        "iss": identity_provider.issuer,
        "aud": claims["aud"],
        "sub": "officer-avon-1",
        "nonce": "a-nonce",
        "roles": ["officer"],
        "force_id": "avon-and-somerset",
        "team_id": "bs1",
    }


async def test_a_bearer_token_can_be_checked_without_asking_the_provider(identity_provider: IdentityServer) -> None:
    """An access token is signed and carries who it is for, whose it is, and what they may do."""
    token = await bearer_token(
        identity_provider.issuer,
        identity_provider.client_id,
        identity_provider.client_secret,
        "partner-lambeth-council",
    )
    claims = claims_of(identity_provider, token)
    assert claims["aud"] == identity_provider.client_id
    assert (claims["sub"], claims["roles"], claims["partner_id"]) == (
        "partner-lambeth-council",
        ["partner"],
        "lambeth-council",
    )
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        userinfo = (await client.get(f"{identity_provider.issuer}/userinfo")).json()
    assert userinfo["force_id"] == claims["force_id"] == "metropolitan"


def test_a_code_is_worth_nothing_without_its_verifier(identity_provider: IdentityServer) -> None:
    """A stolen code cannot be exchanged with another verifier, and is spent by the attempt (RFC 7636)."""
    code = code_of(choose(identity_provider, "officer-avon-1"))
    assert exchange(identity_provider, code, "another-verifier-of-at-least-forty-three-characters").status_code == 400
    assert exchange(identity_provider, code).status_code == 400


def test_a_code_serves_once(identity_provider: IdentityServer) -> None:
    """The second exchange of a code is refused."""
    code = code_of(choose(identity_provider, "officer-avon-1"))
    assert exchange(identity_provider, code).status_code == 200
    assert exchange(identity_provider, code).status_code == 400


def test_strangers_are_refused(identity_provider: IdentityServer) -> None:
    """No unknown person, no redirect off this machine, no request without PKCE, no other client."""
    assert choose(identity_provider, "somebody-else").status_code == 403
    for changes in (
        {"redirect_uri": "https://elsewhere.example/callback"},
        {"code_challenge_method": "plain"},
        {"client_id": "another"},
    ):
        refused = choose(identity_provider, "officer-avon-1", **changes)
        assert refused.status_code == 400 and "location" not in refused.headers


async def test_a_wrong_client_secret_is_refused(identity_provider: IdentityServer) -> None:
    """A client that cannot prove itself gets no token."""
    with pytest.raises(SignInRefused, match="401"):
        await bearer_token(identity_provider.issuer, identity_provider.client_id, "wrong", "officer-avon-1")


def test_nobody_can_change_people_or_register_clients(identity_provider: IdentityServer) -> None:
    """The doors that the mock opens for other tests are shut."""
    issuer = identity_provider.issuer
    assert httpx.put(f"{issuer}/users/officer-avon-1", json={"roles": ["admin"]}).status_code == 404
    assert httpx.post(f"{issuer}/oauth2/clients", json={"redirect_uris": [CALLBACK]}).status_code == 404


def test_it_refuses_to_start_outside_the_embedded_stack() -> None:
    """Without WALKANDTALK_EMBEDDED=1 it ends at once with a sentence, whatever else is set."""
    environment = {name: value for name, value in os.environ.items() if name != "WALKANDTALK_EMBEDDED"}
    environment |= {"WALKANDTALK_OIDC_CLIENT_ID": "a", "WALKANDTALK_OIDC_CLIENT_SECRET": "b"}
    ended = subprocess.run(
        [sys.executable, "-m", "shared.embedded.identity", "--port", "1"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "starts in the embedded stack only" in ended.stderr


def test_every_force_of_the_demo_has_every_role_and_three_officers_a_team() -> None:
    """So that the whole story can be walked in either force."""
    for force in ("avon-and-somerset", "metropolitan"):
        members = [one for one in people() if one.force_id == force]
        roles = {role for one in members for role in one.roles}
        assert roles == {"officer", "coordinator", "partner", "analyst", "auditor", "admin"}
        for team in teams(force):
            assert sum(one.team_id == team for one in members) == 3
    assert person("partner-bristol-city-council").partner_id == "bristol-city-council"
