"""Staff sign-in with OpenID Connect (authorization code, PKCE, state, nonce), and access tokens of other systems.

The provider says who somebody is and what they may do; for which forces it may speak is our own configuration.
"""

import base64
import contextlib
import hashlib
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

import httpx
from fastapi import APIRouter
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import ClaimsOption
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared import observability
from shared.contracts.refusals import TryAgain
from shared.web import session
from shared.web.access import Role
from shared.web.pages import Pages
from shared.web.session import SignInNeeded, User, current_user
from shared.web.site import Site, WebSettings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
PENDING_LASTS = timedelta(minutes=10)
KEYS_CACHED = 3600.0
KEYS_YOUNG = 5.0
LEEWAY = 60

log = observability.log(__name__)


class ProviderAway(TryAgain):
    """The sign-in service does not answer just now. Try again in a minute."""


class NotAllowedIn(Exception):
    """The identity provider's answer does not make a user of this service."""


def own_path(target: str | None) -> str:
    """Where to go after sign-in: a path of this origin and nothing else, "/" when in doubt."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or len(target) > 2000:
        return "/"
    # Browsers drop tabs and line ends and read "\" as "/", so "/\t/evil" would leave the origin.
    if any(ord(character) < 33 or character == "\\" for character in target):
        return "/"
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else "/"


def user_from(claims: Mapping[str, Any], forces: tuple[str, ...]) -> User:
    """A user from the provider's claims; raises NotAllowedIn when force or roles are not ours.

    Claims: sub, name, roles (list), force_id, team_id, partner_id. A provider of one force need not name it.
    """
    force = claims.get("force_id") or (forces[0] if len(forces) == 1 else None)
    if force not in forces:
        raise NotAllowedIn("the provider may not speak for this force")
    given = claims.get("roles")
    named = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    known = {role.value for role in Role}
    roles = frozenset(Role(role) for role in named if isinstance(role, str) and role in known)
    if not roles:
        raise NotAllowedIn("no role of this service")
    partner = claims.get("partner_id")
    if (Role.PARTNER in roles) != bool(partner):
        raise NotAllowedIn("a partner's role and a partner's name belong together")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise NotAllowedIn("no subject")
    return User(
        sub=subject,
        name=str(claims.get("name") or "Signed in"),
        roles=roles,
        force_id=str(force),
        team_id=str(claims["team_id"]) if claims.get("team_id") else None,
        partner_id=str(partner) if partner else None,
    )


class Provider:
    """The identity provider: discovery, keys, the code exchange, and whose an access token is."""

    def __init__(self, settings: WebSettings, site: Site, forces: tuple[str, ...]) -> None:
        """`forces` are those whose staff this provider may sign in."""
        self.settings = settings
        self.forces = forces
        self.site = site
        self.issuer = settings.oidc_issuer.rstrip("/")
        self.address = settings.oidc_internal_url.rstrip("/") or self.issuer
        self.client: httpx.AsyncClient | None = None
        self._metadata: dict[str, Any] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def __aenter__(self) -> Self:
        self.client = httpx.AsyncClient(timeout=5, follow_redirects=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.client is not None:
            await self.client.aclose()

    @property
    def callback(self) -> str:
        """Where the provider sends people back to."""
        return f"{self.site.own_url}/signin/callback"

    async def fetch(self, url: str, **kwargs: Any) -> httpx.Response:
        """One call to the provider; raises ProviderAway when it does not answer."""
        if self.client is None:
            raise ProviderAway
        try:
            return await self.client.request(kwargs.pop("method", "GET"), url, **kwargs)
        except httpx.TransportError as error:
            log.warning("identity provider away", error=type(error).__name__)
            raise ProviderAway from error

    async def document(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """A JSON document of the provider; raises ProviderAway when there is none."""
        response = await self.fetch(url, headers=headers)
        try:
            document = response.json()
        except ValueError as error:
            raise ProviderAway from error
        if response.status_code != 200 or not isinstance(document, dict):
            raise ProviderAway
        return document

    async def metadata(self) -> dict[str, Any]:
        """The provider's own description (OpenID Connect Discovery 1.0), kept once it was read."""
        if self._metadata is None:
            document = await self.document(f"{self.address}/.well-known/openid-configuration")
            if str(document.get("issuer", "")).rstrip("/") != self.issuer:
                raise ProviderAway
            self._metadata = document
        return self._metadata

    async def keys(self, fresh: bool = False) -> KeySet:
        """The provider's signing keys, read again when they are old or `fresh` ones are wanted."""
        if self._keys is None or fresh or time.monotonic() - self._keys[0] > KEYS_CACHED:
            document = await self.document((await self.metadata())["jwks_uri"])
            self._keys = (time.monotonic(), KeySet.import_key_set({"keys": document.get("keys", [])}))
        return self._keys[1]

    async def verified(self, token: str, **expected: str) -> dict[str, Any]:
        """The claims of a signed token whose signature, issuer, times and `expected` claims hold; else NotAllowedIn."""
        issuer = (await self.metadata())["issuer"]
        options: dict[str, ClaimsOption] = {
            "iss": {"essential": True, "value": issuer},
            "exp": {"essential": True},
            "sub": {"essential": True},
        }
        options |= {name: {"essential": True, "value": value} for name, value in expected.items()}
        registry = jwt.JWTClaimsRegistry(now=None, leeway=LEEWAY, **options)
        claims = (await self.decoded(token)).claims
        try:
            registry.validate(claims)
        except JoseError as error:
            raise NotAllowedIn(type(error).__name__) from error
        return claims

    async def decoded(self, token: str) -> jwt.Token:
        """A token whose signature fits; keys we do not know are looked up once more, because providers rotate them."""
        fresh = False
        while True:
            try:
                return jwt.decode(token, await self.keys(fresh), algorithms=ALGORITHMS)
            except (JoseError, ValueError) as error:
                young = self._keys is not None and time.monotonic() - self._keys[0] < KEYS_YOUNG
                if fresh or young:
                    raise NotAllowedIn(type(error).__name__) from error
                fresh = True

    async def begin(self, target: str) -> tuple[str, dict[str, Any]]:
        """The address to send somebody to, and what must be remembered until they are back (RFC 7636 for PKCE)."""
        metadata = await self.metadata()
        verifier, nonce, state = (secrets.token_urlsafe(48) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        question = {
            "response_type": "code",
            "client_id": self.settings.oidc_client_id,
            "redirect_uri": self.callback,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = metadata["authorization_endpoint"]
        url = endpoint + ("&" if urlsplit(endpoint).query else "?") + urlencode(question)
        return url, {"state": state, "verifier": verifier, "nonce": nonce, "next": target}

    async def exchange(self, code: str, verifier: str) -> dict[str, Any]:
        """The tokens for a code (RFC 6749 §4.1.3); the client proves itself as the provider prefers."""
        metadata = await self.metadata()
        client, secret = self.settings.oidc_client_id, self.settings.oidc_client_secret.get_secret_value()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        if "client_secret_basic" in metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": client, "client_secret": secret}
        response = await self.fetch(metadata["token_endpoint"], method="POST", data=form, headers=headers)
        if response.status_code >= 500:
            raise ProviderAway
        if response.status_code != 200:
            raise NotAllowedIn(f"the provider refused the code with {response.status_code}")
        answer: dict[str, Any] = response.json()
        return answer

    async def finish(self, code: str, pending: Mapping[str, Any]) -> User:
        """Exchange the code and make a user of the claims; raises NotAllowedIn or ProviderAway."""
        answer = await self.exchange(code, pending["verifier"])
        client_id = self.settings.oidc_client_id
        claims = await self.verified(answer.get("id_token") or "", aud=client_id, nonce=pending["nonce"])
        if claims.get("azp", client_id) != client_id:
            raise NotAllowedIn("issued to another client")
        if "roles" not in claims:
            claims = await self.with_userinfo(claims, answer["access_token"])
        return user_from(claims, self.forces)

    async def with_userinfo(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """The claims and what the userinfo endpoint adds for the same person."""
        endpoint = (await self.metadata()).get("userinfo_endpoint")
        if endpoint is None:
            return claims
        more = await self.document(endpoint, headers={"Authorization": f"Bearer {access_token}"})
        if more.get("sub") != claims.get("sub"):
            raise NotAllowedIn("userinfo of another person")
        return {**more, **claims}

    async def user_of_token(self, token: str) -> User:
        """Whose access token this is (a signed JWT made for us); raises SignInNeeded for one that is not good."""
        try:
            claims = await self.verified(token, aud=self.settings.oidc_client_id)
            # An ID token says who somebody is to our pages; it is no key to the API. Ours always hold a nonce.
            if "nonce" in claims:
                raise NotAllowedIn("an ID token is no access token")
            if "roles" not in claims:
                claims = await self.with_userinfo(claims, token)
            return user_from(claims, self.forces)
        except NotAllowedIn as error:
            log.info("access token refused", reason=str(error))
            raise SignInNeeded from error


def signin_routes(provider: Provider, pages: Pages, site: Site) -> APIRouter:
    """/signin, its callback, /signout, /signed-out and /me."""
    router = APIRouter(include_in_schema=False)
    pending_cookie = site.cookie("signin")

    def refuse(request: Request, why: str) -> Response:
        log.info("sign-in refused", reason=why)
        return pages.render(
            request,
            "refused.html",
            403,
            title="You could not be signed in",
            errors=(),
            paragraphs=(
                "Your account is known, but it may not use this service, or the sign-in took too long.",
                "Try again. If it happens again, ask the person who looks after accounts in your force.",
            ),
            link={"text": "Sign in", "href": "/signin"},
        )

    @router.get("/signin")
    async def signin(request: Request) -> Response:
        url, pending = await provider.begin(own_path(request.query_params.get("next")))
        response = RedirectResponse(url, 303)
        response.set_cookie(
            pending_cookie,
            session.sealed(site.session_key, {"pending": pending}, datetime.now(UTC)),
            max_age=int(PENDING_LASTS.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=site.secure,
        )
        return response

    @router.get("/signin/callback")
    async def callback(request: Request) -> Response:
        moment = datetime.now(UTC)
        content = session.opened(site.session_key, request.cookies.get(pending_cookie, ""), moment, PENDING_LASTS)
        pending = (content or {}).get("pending")
        query = request.query_params
        if not pending or not secrets.compare_digest(query.get("state", "").encode(), pending["state"].encode()):
            return refuse(request, "state does not fit")
        # RFC 9207: an answer that names another provider was meant for a sign-in with that one.
        if query.get("iss", provider.issuer).rstrip("/") != provider.issuer:
            return refuse(request, "answer of another provider")
        if "code" not in query or "error" in query:
            return refuse(request, "no code")
        try:
            user = await provider.finish(query["code"], pending)
        except NotAllowedIn as error:
            return refuse(request, str(error))
        response = RedirectResponse(own_path(pending["next"]), 303)
        session.keep(response, user, site, moment)
        response.delete_cookie(pending_cookie, httponly=True, samesite="lax", secure=site.secure)
        return response

    @router.post("/signout")
    async def signout() -> Response:
        # What a page kept in the browser for want of signal goes as well, whichever page this is sent from.
        response = RedirectResponse("/signed-out", 303, {"Clear-Site-Data": '"storage"'})
        session.forget(response, site)
        return response

    @router.get("/signed-out")
    async def signed_out(request: Request) -> Response:
        # Our cookie is gone; the provider's own session may still let the next person at this computer in.
        link = {"text": "Sign in again", "href": "/signin"}
        with contextlib.suppress(ProviderAway):
            if leave := (await provider.metadata()).get("end_session_endpoint"):
                link = {"text": "Sign out of your work account as well", "href": leave}
        return pages.render(
            request,
            "refused.html",
            title="You are signed out",
            errors=(),
            paragraphs=("If others use this computer, sign out of your work account as well and close the browser.",),
            link=link,
        )

    @router.get("/me")
    async def me(request: Request) -> Response:
        return pages.render(request, "me.html", title="Who is signed in", person=await current_user(request))

    return router
