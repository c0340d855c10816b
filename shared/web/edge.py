"""What every request passes through before a route sees it: size limit, correlation, headers, counting, one log line.

Pure ASGI, because a middleware that wraps requests and responses in objects costs more than most of our routes.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from uuid import UUID, uuid4

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import observability
from shared.web.access import UNTOLD

MEGABYTE = 1_000_000
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PICTURES = ("image/", "application/octet-stream", "multipart/form-data")
QUIET = ("/health/", "/metrics", "/static/")
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

# An escape that is not itself escaped; the name in front of the value it stands in.
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
FIELD = re.compile(rb'"([A-Za-z_]\w{0,39})"\s*:')
MARGIN = 80

BODY_SECONDS = 30.0
"""From the end of a head to the end of its body."""

log = observability.log(__name__)


def correlation_of(headers: Headers) -> UUID:
    """The caller's X-Correlation-Id, else the trace id of its traceparent, else a new one."""
    try:
        return UUID(headers["x-correlation-id"])
    except (KeyError, ValueError):
        trace = TRACEPARENT.fullmatch(headers.get("traceparent", ""))
        return UUID(hex=trace[1]) if trace else uuid4()


def content_policy(inline_script_hash: str, form_to: str = "") -> str:
    """What a browser may load, and where it may send a form: to us, and to `form_to`."""
    forms = f"'self' {form_to}".strip()
    return (
        "default-src 'none'; "
        f"script-src 'self' '{inline_script_hash}'; "
        "style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
        f"worker-src 'self'; base-uri 'none'; form-action {forms}; "
        "frame-ancestors 'none'"
    )


def security_headers(inline_script_hash: str, https: bool) -> list[tuple[str, str]]:
    """The headers of every answer: what a browser may load, and what it may tell or remember."""
    headers = [
        ("content-security-policy", content_policy(inline_script_hash)),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("permissions-policy", "camera=(), geolocation=(self), microphone=(), payment=(), usb=()"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ]
    if https:
        headers.append(("strict-transport-security", "max-age=31536000; includeSubDomains"))
    return headers


class Edge:
    """The outermost layer of a service's application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        service: str,
        registry: CollectorRegistry,
        headers: list[tuple[str, str]],
        broken: Callable[[Request, Exception], Response],
        max_body: int = MEGABYTE,
        roomy: Mapping[str, int] | None = None,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self.app = app
        self.body_seconds = body_seconds
        self.broken = broken
        self.service = service
        self.headers = [(name.encode(), value.encode()) for name, value in (*headers, ("cache-control", "no-store"))]
        self.max_body = max_body
        self.roomy = [(re.compile(pattern), size) for pattern, size in (roomy or {}).items()]
        labels = ("service", "method", "route", "status")
        self.requests = Counter("walkandtalk_http_requests", "HTTP requests answered.", labels, registry=registry)
        self.seconds = Histogram(
            "walkandtalk_http_request_seconds",
            "Time to the last byte of an answer.",
            labels,
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self.counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        correlation = correlation_of(headers)
        trace = headers.get("traceparent", "")
        token = observability.correlation_id.set(correlation)
        trace_token = observability.traceparent.set(
            trace if TRACEPARENT.fullmatch(trace) else observability.new_traceparent()
        )
        status, answering = 500, False

        async def sending(message: Message) -> None:
            nonlocal status, answering
            if message["type"] == "http.response.start":
                status, answering = message["status"], True
                given = message.setdefault("headers", [])
                names = {name.lower() for name, _ in given}
                own = (b"x-correlation-id", str(correlation).encode())
                message["headers"] = [*given, *(one for one in self.headers if one[0] not in names), own]
            await send(message)

        path = scope["path"]
        room = next((size for pattern, size in self.roomy if pattern.fullmatch(path)), None)
        limit = room or self.max_body
        # Photographs hold every byte there is; the words of a form beside one are looked at by the form itself.
        picture = room is not None and headers.get("content-type", "").startswith(PICTURES)
        received = size if (size := declared(headers)) > limit else 0
        before = b""
        body_due: float | None = asyncio.get_running_loop().time() + self.body_seconds

        async def receiving() -> Message:
            nonlocal received, before, body_due
            if received > limit:
                raise TooLarge(limit)
            try:
                async with asyncio.timeout_at(body_due):
                    message = await receive()
            except TimeoutError:
                raise TooSlow from None
            if message["type"] != "http.request" or not message.get("more_body", False):
                # From now on only the end of the connection is waited for.
                body_due = None
            if message["type"] == "http.request":
                body = message.get("body", b"")
                received += len(body)
                if received > limit:
                    raise TooLarge(limit)
                if body and not picture:
                    # What is looked for may lie across two parts of a body.
                    before = before[-MARGIN:] + body
                    refuse_nul(before, headers)
            return message

        try:
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                raise HoldsNul(query_field(scope["query_string"]))
            await self.app(scope, receiving, sending)
        except Exception as error:
            if answering:
                raise
            response = self.broken(Request(scope, receive), error)
            await response(scope, receive, sending)
        finally:
            self.account(scope, status, time.perf_counter() - started)
            observability.traceparent.reset(trace_token)
            observability.correlation_id.reset(token)

    def account(self, scope: Scope, status: int, seconds: float) -> None:
        """Count and log one answer under its route's template: a raw path may hold the secret of a link."""
        route = template(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        if route in UNTOLD and not (status in (401, 403) or (method, status) == ("GET", 303)):
            method, route, status = "GET", UNTOLD[route], status if status >= 500 else 200
        counted = self.counted.get((method, route, status))
        if counted is None:
            # Finding a counter by its labels takes longer than counting; routes, methods and statuses are few.
            labels = (self.service, method, route, str(status))
            counted = self.counted[method, route, status] = (
                self.requests.labels(*labels),
                self.seconds.labels(*labels),
            )
        counted[0].inc()
        counted[1].observe(seconds)
        if not route.startswith(QUIET):
            log.info("request", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 1))


class TooLarge(HTTPException):
    """What you sent is too large."""

    def __init__(self, limit: int = MEGABYTE) -> None:
        # What is still to come of the body is not waited for.
        super().__init__(413, f"What you sent is larger than {limit / MEGABYTE:g} MB.", {"Connection": "close"})


class TooSlow(HTTPException):
    """What you sent did not arrive in time."""

    def __init__(self) -> None:
        super().__init__(408, f"What you sent did not arrive within {BODY_SECONDS:g} seconds.", {"Connection": "close"})


class HoldsNul(HTTPException):
    """A text holds U+0000, which no database of ours keeps and nobody types."""

    def __init__(self, field: str | None) -> None:
        super().__init__(422 if field else 400)
        self.fields = {field: "holds a character that cannot be kept (U+0000)"} if field else {}


def refuse_nul(body: bytes, headers: Headers) -> None:
    """Look through a body, or two parts of it; raises HoldsNul, which names the field of JSON or of a form."""
    if "json" in headers.get("content-type", ""):
        if rb"\u0000" in body and (found := ESCAPED_NUL.search(body)):
            names = FIELD.findall(body, 0, found.start())
            raise HoldsNul(names[-1].decode() if names else "body")
    elif b"\0" in body or b"%00" in body:
        form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        raise HoldsNul(query_field(body) if form else None)


def query_field(query: bytes) -> str | None:
    """The parameter that holds U+0000; None where it is none of a plain name."""
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if (b"%00" in value or b"\0" in value) and re.fullmatch(rb"[A-Za-z_][\w-]{0,39}", name):
            return name.decode()
    return None


def declared(headers: Headers) -> int:
    """The length the request says its body has, 0 when it does not say."""
    length = headers.get("content-length", "")
    return int(length) if length.isdigit() else 0


def template(scope: Scope) -> str:
    """The path template of the route that answered, never the path itself."""
    path = getattr(scope.get("route"), "path_format", None)
    if path is not None:
        return str(path)
    return "/static/{path}" if scope["path"].startswith("/static/") else "unmatched"
