"""Proof that a form came from our own page: a signed token in the form, bound to a cookie and to who is signed in.

Two checks, both must hold: the browser does not say the request came from another site (Sec-Fetch-Site, else Origin),
and the token in the field or header fits the cookie. Origin is "null" on our own forms, because our pages send no
referrer, so "null" alone proves nothing and refuses nothing.
"""

import hashlib
import hmac
import secrets

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
    # Compared as text: what a stranger sends as an origin need not be an address at all.
    scheme = own_url.partition("://")[0]
    return origin not in (own_url, f"{scheme}://{request.headers.get('host', '')}")


def refuse_strangers(request: Request, site: Site) -> None:
    """Let pass what a page of ours sent, under whichever of our names it was shown.

    A browser cannot be made to lie about the origin, and such a page asks it to be told; none told is none of ours.

    :raises ForgedForm: another site sent it.
    """
    if request.headers.get("origin") not in site.origins:
        raise ForgedForm


def cookie_of(request: Request, site: Site) -> str:
    """What tokens of this browser are bound to.

    :raises ForgedForm: it has nothing of the kind, or says that the request comes from elsewhere. That can be told
        before the body is read.
    """
    cookie = request.cookies.get(site.cookie(COOKIE), "")
    if not cookie or from_elsewhere(request, site.own_url):
        raise ForgedForm
    return cookie


def check(cookie: str, sent: str | None, *, site: Site, subject: str) -> None:
    """Raise ForgedForm unless the token fits the cookie and the person."""
    if not sent or not hmac.compare_digest(token(site.csrf_key, cookie, subject).encode(), sent.encode()):
        raise ForgedForm
