"""The demo's identity provider: oidc-provider-mock, held to one client, the demo's people, and PKCE.

Run as `python -m shared.embedded.identity --port 8005`, with the client in WALKANDTALK_OIDC_CLIENT_ID and
WALKANDTALK_OIDC_CLIENT_SECRET. Nobody needs a password here, so it refuses to start unless WALKANDTALK_EMBEDDED=1,
which only the embedded stack sets. Access tokens are signed JWTs (RFC 9068), as with the providers forces use.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import os
import secrets
import time
from urllib.parse import parse_qs, urlsplit

import flask
import oidc_provider_mock
import uvicorn
from jinja2 import ChoiceLoader, FileSystemLoader
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider_mock._storage import Client, Storage, storage
from werkzeug.wrappers import Response

from shared.embedded.demo_people import people
from shared.embedded.pages import HEADERS, STATIC, STYLE, TEMPLATES

TOKEN_SECONDS = 3600

# The mock offers more: registering clients, changing people, a client of its own. None of it is needed here.
_ENDPOINTS = {
    "oidc-provider-mock.openid_config",
    "oidc-provider-mock.jwks",
    "oidc-provider-mock.authorize",
    "oidc-provider-mock.issue_token",
    "oidc-provider-mock.userinfo",
    "oidc-provider-mock.end_session",
    "oidc-provider-mock.end_session_confirm",
    "ready",
    "static_files",
    "style_files",
}
_LOCAL = {"localhost", "127.0.0.1"}


class RefusedToStart(SystemExit):
    """The demo provider was started outside the embedded stack, or without its client."""


def provider(client_id: str, client_secret: str) -> flask.Flask:
    """The provider as a WSGI application. `client_id` and `client_secret` name the one client it knows."""
    app = flask.Flask("walkandtalk-identity", static_folder=None)
    app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = _signed_token
    users = [oidc_provider_mock.User(sub=person.sub, claims=person.claims()) for person in people()]
    oidc_provider_mock.init_app(app, require_client_registration=True, issue_refresh_token=False, user_claims=users)
    # It turns these on for those who debug their client with it; here a fault is a plain 500.
    app.debug = False
    app.wsgi_app = flask.Flask.wsgi_app.__get__(app)  # type: ignore[method-assign]  # undoes its debugger's wrapper
    app.secret_key = secrets.token_bytes(32)
    theirs = FileSystemLoader(os.path.join(os.path.dirname(oidc_provider_mock.__file__), "templates"))
    app.jinja_loader = ChoiceLoader([FileSystemLoader(TEMPLATES), theirs])
    app.jinja_env.globals["demo_people"] = people()
    _add_files(app)
    _hold_to(app, client_id, client_secret)
    return app


def _signed_token(client: Client, grant_type: str, user: oidc_provider_mock.User, scope: str) -> str:
    """An access token whose signature and claims a service checks by itself (RFC 9068)."""
    now = int(time.time())
    key = RSAKey.import_key(storage.jwk.as_dict(is_private=True))
    claims = {
        **user.claims,
        "iss": flask.request.host_url.rstrip("/"),
        "sub": user.sub,
        "aud": client.id,
        "client_id": client.id,
        "scope": scope,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "jti": secrets.token_urlsafe(12),
    }
    header = {"alg": "RS256", "typ": "at+jwt", "kid": storage.jwk.thumbprint()}
    return jwt.encode(header, claims, key)


def _add_files(app: flask.Flask) -> None:
    @app.get("/static/<path:name>", endpoint="static_files")
    def static_files(name: str) -> Response:
        return flask.send_from_directory(STATIC, name)

    @app.get("/style/<path:name>", endpoint="style_files")
    def style_files(name: str) -> Response:
        return flask.send_from_directory(STYLE, name)

    @app.get("/health/ready", endpoint="ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}


def _hold_to(app: flask.Flask, client_id: str, client_secret: str) -> None:
    """Admit one client, the demo's people, redirects to this machine, and codes whose verifier fits (RFC 7636)."""
    challenges: dict[str, str] = {}

    class OneClient(Client):  # type: ignore[misc]  # the mock's classes carry no types
        """Redirects may go to any port of this machine, since the embedded stack takes what ports are free."""

        def check_redirect_uri(self, redirect_uri: str) -> bool:
            address = urlsplit(redirect_uri)
            return address.scheme == "http" and address.hostname in _LOCAL

        def check_endpoint_auth_method(self, method: str, endpoint: object) -> bool:
            return method in ("client_secret_basic", "client_secret_post")

        def check_client_secret(self, client_secret: str) -> bool:
            return hmac.compare_digest(client_secret.encode(), str(self.secret).encode())

    one_client = OneClient(
        id=client_id,
        secret=client_secret,
        redirect_uris=[],
        allowed_scopes=Client.SCOPES_SUPPORTED,
        token_endpoint_auth_method="client_secret_basic",
    )
    known = {person.sub for person in people()}

    @app.before_request
    def admit() -> None:
        request = flask.request
        if request.endpoint not in _ENDPOINTS:
            flask.abort(404)
        kept: Storage = flask.g.oidc_provider_mock_storage
        kept.store_client(one_client)
        if request.endpoint == "oidc-provider-mock.authorize":
            if request.args.get("code_challenge_method") != "S256" or not request.args.get("code_challenge"):
                flask.abort(400, "PKCE with S256 is required.")
            sub = request.form.get("sub")
            if request.method == "POST" and sub is not None and sub not in known:
                flask.abort(403, "The demo has no such person.")
        if request.endpoint == "oidc-provider-mock.issue_token":
            challenge = challenges.pop(request.form.get("code", ""), "")
            digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
            given = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if not hmac.compare_digest(given, challenge):
                # RFC 7636 §4.6 names the error; the code is spent.
                flask.abort(flask.make_response({"error": "invalid_grant"}, 400))

    @app.after_request
    def remember(response: Response) -> Response:
        if flask.request.endpoint == "oidc-provider-mock.authorize" and response.location:
            for code in parse_qs(urlsplit(response.location).query).get("code", ()):
                challenges[code] = flask.request.args["code_challenge"]
        if response.mimetype == "text/html":
            for name, value in HEADERS.items():
                # Its forms lead back to the services, on other ports: form-action would stop those redirects.
                response.headers[name] = value.replace(" form-action 'self';", "")
        return response


def main() -> None:
    """Run until stopped."""
    arguments = argparse.ArgumentParser(prog="python -m shared.embedded.identity", description=__doc__)
    arguments.add_argument("--port", type=int, required=True)
    given = arguments.parse_args()
    if os.environ.get("WALKANDTALK_EMBEDDED") != "1":
        raise RefusedToStart("The demo identity provider starts in the embedded stack only (WALKANDTALK_EMBEDDED=1).")
    client_id = os.environ.get("WALKANDTALK_OIDC_CLIENT_ID", "")
    client_secret = os.environ.get("WALKANDTALK_OIDC_CLIENT_SECRET", "")
    if not client_id or not client_secret:
        raise RefusedToStart("Set WALKANDTALK_OIDC_CLIENT_ID and WALKANDTALK_OIDC_CLIENT_SECRET.")
    # Authlib insists on https; this provider is reached on the loopback address only.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    uvicorn.run(
        provider(client_id, client_secret),
        interface="wsgi",
        host="127.0.0.1",
        port=given.port,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
