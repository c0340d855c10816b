"""GOV.UK Notify as far as we use it, over HTTP, written from its REST documentation: for tests alone."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.embedded.processes import free_port
from tests.servers.served import served

PHONE = re.compile(r"^(\+44|0)[0-9]{9,10}$")


@dataclass
class Service:
    """A service at Notify: its key, its templates."""

    name: str
    id: str = field(default_factory=lambda: str(uuid4()))
    secret: str = field(default_factory=lambda: str(uuid4()))
    text_template: UUID = field(default_factory=uuid4)
    email_template: UUID = field(default_factory=uuid4)

    @property
    def key(self) -> str:
        return f"{self.name}-{self.id}-{self.secret}"


@dataclass
class NotifyDouble:
    """What it was sent, and what it is told to do wrong next."""

    url: str
    named: Service
    neutral: Service
    taken: list[dict[str, Any]] = field(default_factory=list)
    """Notifications as a caller would read them back; `service` and `personalisation` beside."""
    faults: list[str] = field(default_factory=list)
    """What befalls the next sendings: `500`, `429`, `limit`, `drop` (not taken), `taken and drop`, `taken and 500`."""
    calls: list[str] = field(default_factory=list)
    clock: Callable[[], float] = time.time

    def to(self, address: str) -> list[dict[str, Any]]:
        """What was taken for a number or an address."""
        return [one for one in self.taken if address in (one["phone_number"], one["email_address"])]

    def app(self) -> Starlette:
        """The three calls."""
        return Starlette(
            routes=[
                Route("/v2/notifications/{way}", self._send, methods=["POST"]),
                Route("/v2/notifications/{id}", self._one, methods=["GET"]),
                Route("/v2/notifications", self._find, methods=["GET"]),
            ]
        )

    def _caller(self, request: Request) -> Service | JSONResponse:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            return _error(401, "AuthError", "Unauthorized: authentication token must be provided")
        for service in (self.named, self.neutral):
            try:
                claims = jwt.decode(token, OctKey.import_key(service.secret), algorithms=["HS256"])
            except JoseError:
                continue
            if claims.claims.get("iss") != service.id or claims.header.get("typ") != "JWT":
                break
            if abs(self.clock() - claims.claims["iat"]) > 30:
                return _error(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")
            return service
        return _error(403, "AuthError", "Invalid token: API key not found")

    async def _send(self, request: Request) -> Response:
        way, body = request.path_params["way"], json.loads(await request.body())
        self.calls.append(f"POST {way}")
        service = self._caller(request)
        if isinstance(service, JSONResponse):
            return service
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "500":
            return _error(500, "Exception", "Internal server error")
        if fault == "429":
            return _error(
                429, "RateLimitError", "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"
            )
        if fault == "limit":
            return _error(429, "TooManyRequestsError", "Exceeded send limits (250000) for today")
        if fault == "drop":
            return _cut_off()
        to = body.get("phone_number" if way == "sms" else "email_address")
        if way == "sms" and not PHONE.match(re.sub(r"[ ()-]", "", to or "")):
            return _error(400, "ValidationError", "phone_number Not a valid phone number")
        if way == "email" and "@" not in (to or ""):
            return _error(400, "ValidationError", "email_address Not a valid email address")
        if body["template_id"] != str(service.text_template if way == "sms" else service.email_template):
            return _error(400, "BadRequestError", "Template not found")
        wanted = {"body"} if way == "sms" else {"body", "subject"}
        if missing := wanted - set(body["personalisation"]):
            return _error(400, "BadRequestError", f"Missing personalisation: {', '.join(missing)}")
        taken = {
            "id": str(uuid4()),
            "reference": body.get("reference"),
            "type": way,
            "status": "created",
            "phone_number": to if way == "sms" else None,
            "email_address": to if way == "email" else None,
            "body": body["personalisation"]["body"],
            "subject": body["personalisation"].get("subject"),
            "created_at": datetime.now(UTC).isoformat(),
            "service": service.name,
        }
        self.taken.append(taken)
        if fault == "taken and drop":
            return _cut_off()
        if fault == "taken and 500":
            return _error(500, "Exception", "Internal server error")
        return JSONResponse({"id": taken["id"], "reference": taken["reference"], "content": {}}, 201)

    async def _one(self, request: Request) -> Response:
        self.calls.append("GET one")
        service = self._caller(request)
        if isinstance(service, JSONResponse):
            return service
        for one in self.taken:
            if one["id"] == request.path_params["id"] and one["service"] == service.name:
                return JSONResponse(one)
        return _error(404, "NoResultFound", "No result found")

    async def _find(self, request: Request) -> Response:
        self.calls.append("GET by reference")
        service = self._caller(request)
        if isinstance(service, JSONResponse):
            return service
        reference = request.query_params.get("reference")
        found = [one for one in self.taken if one["reference"] == reference and one["service"] == service.name]
        return JSONResponse({"notifications": found, "links": {}})


def _error(status: int, kind: str, message: str) -> JSONResponse:
    return JSONResponse({"status_code": status, "errors": [{"error": kind, "message": message}]}, status)


def _cut_off() -> StreamingResponse:
    """An answer that ends before it said anything."""

    async def nothing() -> AsyncIterator[bytes]:
        yield b"{"
        raise ConnectionAbortedError

    return StreamingResponse(nothing(), 201, {"content-length": "100"})


@contextmanager
def notify_double() -> Iterator[NotifyDouble]:
    """Notify on a free port, with a service that names the force and one that tells nothing."""
    port = free_port()
    double = NotifyDouble(f"http://localhost:{port}", Service("police-walks"), Service("appointments"))
    with served(double.app(), port):
        yield double
