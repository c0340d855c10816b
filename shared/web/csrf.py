"""Proof that a form came from our own page: a signed token in the form, bound to a cookie and to who is signed in.

Two checks, both must hold: the browser does not say the request came from another site (Sec-Fetch-Site, else Origin),
and the token in the field or header fits the cookie. Origin is "null" on our own forms, because our pages send no
referrer, so "null" alone proves nothing and refuses nothing.
"""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request

from shared.web.site import Site

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
COOKIE = "form"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ForgedForm(Exception):
    """We could not be sure that this form was sent from our own page. Go back, load the page again, then send it."""


def new_cookie() -> str:
    """A fresh random value to bind tokens to."""
    return secrets.token_urlsafe(24)


def token(key: bytes, cookie: str, subject: str) -> str:
    """The token that fits this cookie and this signed-in person ("" for nobody)."""
    return hmac.new(key, f"{cookie}|{subject}".encode(), hashlib.sha256).hexdigest()


def from_elsewhere(request: Request, own_url: str) -> bool:
    """Whether the browser says that another site or another port sent this request."""
    if site := request.headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return False
    return urlsplit(origin).netloc not in (request.headers.get("host", ""), urlsplit(own_url).netloc)


def check(request: Request, sent: str | None, *, site: Site, subject: str) -> None:
    """Raise ForgedForm unless the request comes from our own page with the token that fits its cookie."""
    cookie = request.cookies.get(site.cookie(COOKIE), "")
    if from_elsewhere(request, site.own_url) or not cookie or not sent:
        raise ForgedForm
    if not hmac.compare_digest(token(site.csrf_key, cookie, subject).encode(), sent.encode()):
        raise ForgedForm
