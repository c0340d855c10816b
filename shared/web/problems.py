"""Every refusal as an answer: problem details (RFC 9457) for programs, a page in plain words for people.

Nothing here repeats a value that was sent, and nothing tells an unknown error's words: those may hold either.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from shared import observability
from shared.contracts.refusals import Refusal, TooMany, TryAgain
from shared.database import TRANSIENT
from shared.web.csrf import ForgedForm
from shared.web.forms import named, plain
from shared.web.languages import said
from shared.web.pages import Pages
from shared.web.session import SignInNeeded

RETRY_AFTER = "5"
NAMESPACE = "urn:walkandtalk:problem:"
DATABASE_AWAY = TRANSIENT
"""The same list as on the bus: what would be tried again there is tried again by whoever asked here."""

# Errors of the operating system that have nothing to do with a connection; Jinja's missing template is one.
OWN_FILES = (LookupError, FileNotFoundError, PermissionError, IsADirectoryError)

PAGES: Mapping[int, tuple[str, tuple[str, ...]]] = {
    401: ("Sign in to see this page", ("You are not signed in, or you were signed out after eight hours.",)),
    403: ("You cannot see this page", ("You are signed in, but this page is not for your role.",)),
    400: ("This request cannot be read", ("Go back and try again.",)),
    404: (
        "Page not found",
        (
            "If you typed the web address, check it is correct.",
            "If you followed a link from a message, it may have been used or may have expired.",
        ),
    ),
    405: ("This page cannot be used like that", ("Go back and try again from the form.",)),
    408: ("What you sent did not arrive in time", ("Try again.",)),
    410: ("This page is no longer here", ("What was here has been erased.",)),
    413: ("What you sent is too large", ("Send less text or a smaller file.",)),
    422: ("Something you sent is missing or not valid", ("Go back, check what you entered and send it again.",)),
    429: (
        "Too many requests from where you are",
        (
            "Somebody who shares your internet connection may have sent very many. What you typed before this is kept.",
            "If you do not want to wait, call 101. In an emergency call 999.",
        ),
    ),
    500: ("Sorry, there is a problem with the service", ("Try again later.",)),
    503: ("Sorry, the service is not available just now", ("Try again in a minute.",)),
}

UNREADABLE = "There was an error parsing the body"
"""What FastAPI says of a body that is no text."""
REFUSED = "Sorry, that cannot be done"
UNSENT = "Sorry, we could not accept that form"

log = observability.log(__name__)


def slug(kind: type[Exception]) -> str:
    """WalkAlreadyCancelled as walk-already-cancelled."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


def wants_json(request: Request) -> bool:
    """Programs get problem details: every call under /api, and whoever accepts JSON but not HTML."""
    accept = request.headers.get("accept", "")
    return request.url.path.startswith("/api/") or ("json" in accept and "text/html" not in accept)


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer to what could not be done."""

    status: int
    title: str
    kind: str = "about:blank"
    detail: str | None = None
    errors: Sequence[Mapping[str, str]] = ()
    paragraphs: Sequence[str] = ()
    headers: Mapping[str, str] | None = None
    link: Mapping[str, str] | None = None

    def document(self) -> dict[str, Any]:
        """The members of RFC 9457 and, where fields are wrong, `errors`."""
        document: dict[str, Any] = {"type": self.kind, "title": self.title, "status": self.status}
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = list(self.errors)
        return document


def of_status(status: int, detail: str | None = None, headers: Mapping[str, str] | None = None) -> Problem:
    """A problem of which no more is known than its HTTP status."""
    title, paragraphs = PAGES.get(status, (HTTPStatus(status).phrase, ()))
    return Problem(status, HTTPStatus(status).phrase, detail=detail, headers=headers, paragraphs=(title, *paragraphs))


def of_validation(error: RequestValidationError) -> Problem:
    """What is wrong with the parts of a call, by field, never with the value that was sent."""
    errors = []
    for fault in error.errors():
        where, *path = fault["loc"]
        if fault["type"] == "json_invalid":
            path = []
        errors.append({"field": named(path) or str(where), "message": plain(fault)})
    title, paragraphs = PAGES[422]
    return Problem(
        422,
        "Some fields are missing or not valid",
        kind=NAMESPACE + "invalid-fields",
        errors=errors,
        paragraphs=(title, *paragraphs),
    )


class Answers:
    """Turns exceptions into answers; the statuses of refusals stand in one table of the service."""

    def __init__(self, pages: Pages, refusals: Mapping[type[Refusal], int]) -> None:
        self.pages = pages
        self.refusals: Mapping[type[Refusal], int] = {Refusal: 409, TryAgain: 503, TooMany: 429, **refusals}

    def status_of(self, refusal: Refusal) -> int:
        """The status of the nearest class that the table names."""
        return next(self.refusals[kind] for kind in type(refusal).__mro__ if kind in self.refusals)

    def problem(self, error: Exception) -> Problem:
        """What to answer to an exception."""
        match error:
            case TooMany():
                _, paragraphs = PAGES[429]
                return Problem(
                    429,
                    error.message,
                    kind=NAMESPACE + slug(type(error)),
                    headers={"Retry-After": str(error.seconds)},
                    paragraphs=(PAGES[429][0], error.message, *paragraphs),
                )
            case Refusal():
                status = self.status_of(error)
                headers = {"Retry-After": RETRY_AFTER} if isinstance(error, TryAgain) or status == 503 else None
                fields: Mapping[str, str] = getattr(error, "fields", None) or {}
                return Problem(
                    status,
                    error.message,
                    kind=NAMESPACE + slug(type(error)),
                    headers=headers,
                    errors=[{"field": field, "message": message} for field, message in fields.items()],
                    paragraphs=(REFUSED, error.message),
                )
            case ForgedForm():
                message = ForgedForm.__doc__ or ""
                return Problem(
                    403,
                    "Not sent from our own page",
                    kind=NAMESPACE + "forged-form",
                    detail=message,
                    paragraphs=(UNSENT, message),
                )
            case RequestValidationError():
                return of_validation(error)
            case HTTPException():
                detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
                named_fields: Mapping[str, str] = getattr(error, "fields", None) or {}
                if error.status_code == 400 and error.detail == UNREADABLE:
                    named_fields = {"body": "cannot be read as text"}
                errors = [{"field": field, "message": message} for field, message in named_fields.items()]
                return replace(of_status(error.status_code, detail, error.headers), errors=errors)
            case _ if isinstance(error, DATABASE_AWAY) and not isinstance(error, OWN_FILES):
                log.warning("database away", exc_info=error)
                return of_status(503, headers={"Retry-After": RETRY_AFTER})
            case _:
                log.error("unexpected error", exc_info=error)
                return of_status(500)

    def respond(self, request: Request, error: Exception) -> Response:
        """The answer to an exception, in the form the caller understands."""
        if isinstance(error, SignInNeeded):
            return self.sign_in(request)
        return self.answer(request, self.problem(error))

    def answer(self, request: Request, problem: Problem) -> Response:
        """A problem as JSON or as a page."""
        headers = dict(problem.headers or {})
        if wants_json(request):
            return JSONResponse(problem.document(), problem.status, headers, media_type="application/problem+json")
        title, *paragraphs = map(said, problem.paragraphs or (problem.title,))
        response = self.pages.render(
            request,
            "refused.html",
            problem.status,
            title=title,
            paragraphs=paragraphs,
            errors=problem.errors,
            link=problem.link,
        )
        response.headers.update(headers)
        return response

    def sign_in(self, request: Request) -> Response:
        """Send a reader to the sign-in and back; a form cannot be sent twice, so its sender is told."""
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if wants_json(request):
            problem = of_status(401, headers={"WWW-Authenticate": "Bearer"})
        elif request.method in ("GET", "HEAD"):
            return RedirectResponse("/signin?next=" + quote(here, safe="/"), 303)
        else:
            title, paragraphs = PAGES[401]
            paragraphs = (*paragraphs, "Sign in, then send the form again.")
            problem = Problem(
                401,
                "Unauthorized",
                paragraphs=(title, *paragraphs),
                link={"text": "Sign in", "href": "/signin"},
                headers={"WWW-Authenticate": "Bearer"},
            )
        return self.answer(request, problem)
