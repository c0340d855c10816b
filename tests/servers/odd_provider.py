"""An identity provider that says whatever a test wants, straight or bent; and what it signs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.embedded.processes import free_port
from shared.web.signin import Provider
from shared.web.site import Site
from tests.servers.served import served
from tests.servers.web_example import Settings

CLAIMS = {"sub": "officer-1", "name": "Sam Example", "roles": ["officer"], "force_id": "northvale", "team_id": "bs1"}


class OddProvider:
    """An identity provider written by hand that says whatever a test wants."""

    def __init__(self, issuer: str = "http://provider.test") -> None:
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.served = self.key
        self.claims: dict[str, Any] = {
            **CLAIMS,
            "iss": self.issuer,
            "aud": "walkandtalk",
            "exp": int(time.time()) + 300,
            "nonce": "n",
        }
        self.userinfo: dict[str, Any] = {}
        self.discovered: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize?tenant=1",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "userinfo_endpoint": self.issuer + "/userinfo",
        }
        self.token_status = 200
        self.asked: list[str] = []

    def token(self) -> str:
        """Its claims, signed."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, self.claims, self.key)

    async def answer(self, request: Request) -> Response:
        """What it answers to anything."""
        self.asked.append(request.url.path)
        match request.url.path:
            case "/.well-known/openid-configuration":
                return JSONResponse(self.discovered)
            case "/token":
                return JSONResponse({"id_token": self.token(), "access_token": "opaque"}, self.token_status)
            case "/userinfo":
                return JSONResponse(self.userinfo)
            case _:
                return JSONResponse(KeySet([self.served]).as_dict(private=False))

    @property
    def app(self) -> Starlette:
        """The provider as an application."""
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST"])])

    def trusted(self) -> Provider:
        """Our side, talking to it."""
        settings = Settings(oidc_issuer=self.issuer)
        provider = Provider(settings, Site.of("intake", "x", settings), ("northvale",))
        provider.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app))
        return provider


@contextmanager
def odd_provider() -> Iterator[OddProvider]:
    """One on a port of this machine."""
    port = free_port()
    odd = OddProvider(f"http://localhost:{port}")
    with served(odd.app, port):
        yield odd
