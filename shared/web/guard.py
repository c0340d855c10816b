"""The one place where the access table is enforced: it stands before every route, ahead of any parsing."""

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web import csrf, session
from shared.web.access import Open, Rule
from shared.web.hosts import force_of_host
from shared.web.languages import ENGLISH, language_of
from shared.web.session import SignInNeeded, User
from shared.web.site import Site

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")

Bearer = Callable[[str], Awaitable[User]]


def now() -> datetime:
    """The present; the clock of sessions."""
    return datetime.now(UTC)


class Guard:
    """Who asks, may they, and did their own page send the form; then the route."""

    def __init__(
        self,
        app: ASGIApp,
        rule: Rule,
        site: Site,
        forces: Collection[str],
        bearer: Bearer,
        *,
        translated: bool = False,
        on_hosts: bool = False,
    ) -> None:
        """`forces` are those whose people may be signed in here; `bearer` turns an access token into its user and
        raises SignInNeeded for one it does not accept; what is not `translated` is there in English alone, and
        what is not `on_hosts` is there only at the name that all forces share."""
        self.app = app
        self.translated = translated
        self.on_hosts = on_hosts
        self.rule = rule
        self.site = site
        self.forces = forces
        self.bearer = bearer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise HTTPException(404)
        request = Request(scope, receive)
        if not self.translated and language_of(request) != ENGLISH:
            raise HTTPException(404)
        own = force_of_host(request)
        # Under the name of one force there is nothing of another's, and nothing for staff.
        if own is not None and (not self.on_hosts or request.path_params.get("force", own) != own):
            raise HTTPException(404)
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        by_bearer = scheme.lower() == "bearer" and bool(credential)
        if by_bearer and self.rule is Open.BEARER:
            # The token is a program's, and only the handler knows it.
            user: User | None = None
        elif by_bearer:
            user = await self.bearer(credential.strip())
        else:
            user = session.from_cookie(request, self.site, self.forces, now())
        request.state.user = user
        if not isinstance(self.rule, Open):
            if user is None:
                raise SignInNeeded
            if not (user.roles & self.rule):
                raise HTTPException(403)
        if self.rule is Open.HANDED_OVER:
            csrf.refuse_strangers(request, self.site)
        elif request.method not in csrf.SAFE_METHODS and not by_bearer:
            receive = await self.check_form(request, receive, user)
        await self.app(scope, receive, send)

    async def check_form(self, request: Request, receive: Receive, user: User | None) -> Receive:
        """Refuse forged forms; a JSON call that uses no cookie cannot be forged by a browser and passes."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_form = not kind or kind in FORMS
        if not is_form and user is None:
            return receive
        cookie = csrf.cookie_of(request, self.site)
        sent = request.headers.get(csrf.HEADER)
        if sent is None and is_form:
            body = await whole(receive)
            sent = await token_in(body, kind, request)
            receive = again(body)
        csrf.check(cookie, sent, site=self.site, subject=user.sub if user else "")
        return receive


async def whole(receive: Receive) -> bytes:
    """The body as a whole; the edge has limited its size."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400)
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def again(body: bytes) -> Receive:
    """A body that has been read, to be read once more by the route."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


async def token_in(body: bytes, kind: str, request: Request) -> str | None:
    """The token in a form's body."""
    if kind == "application/x-www-form-urlencoded":
        try:
            fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=1000)
        except ValueError as error:
            raise HTTPException(400) from error
        return fields.get(csrf.FIELD, [None])[-1]
    if kind == "multipart/form-data":
        async with Request(request.scope, again(body)).form() as form:
            found = form.get(csrf.FIELD)
            return found if isinstance(found, str) else None
    return None
