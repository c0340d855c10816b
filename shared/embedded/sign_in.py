"""Signs a demo person in by program: what a browser does at the demo identity provider, for tests and the demo."""

from __future__ import annotations

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlsplit

import httpx

_NOWHERE = "http://localhost/signed-in-by-program"


class SignInRefused(RuntimeError):
    """The provider refused the person or the client."""


async def bearer_token(issuer: str, client_id: str, client_secret: str, sub: str) -> str:
    """An access token of the demo person `sub`, good for an hour. Raises SignInRefused or httpx.TransportError."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    question = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": _NOWHERE,
        "scope": "openid profile",
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    async with httpx.AsyncClient(base_url=issuer, timeout=10) as client:
        chosen = await client.post("/oauth2/authorize", params=question, data={"sub": sub})
        answer = parse_qs(urlsplit(chosen.headers.get("Location", "")).query)
        if "code" not in answer or answer.get("state") != [state]:
            raise SignInRefused(f"{sub} was not admitted ({chosen.status_code})")
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"][0],
            "redirect_uri": _NOWHERE,
            "code_verifier": verifier,
        }
        tokens = await client.post("/oauth2/token", data=form, auth=(client_id, client_secret))
        if tokens.status_code != 200:
            raise SignInRefused(f"no token for {sub} ({tokens.status_code})")
        return str(tokens.json()["access_token"])
