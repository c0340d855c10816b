"""Puts a service's web side together: its routes behind the access table, and what every service answers alike."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from shared.contracts.refusals import Refusal
from shared.web import access
from shared.web.access import EVERY_SERVICE, HANDED_OVER, PUBLIC, SEALED_LINK, Open, Table
from shared.web.csrf import ForgedForm
from shared.web.documents import document_routes
from shared.web.edge import MEGABYTE, Edge, security_headers
from shared.web.guard import Guard
from shared.web.hosts import Hosts
from shared.web.languages import Speaking
from shared.web.pages import FOR_EVER, Pages
from shared.web.problems import DATABASE_AWAY, Answers
from shared.web.session import SignInNeeded
from shared.web.signin import Provider, signin_routes
from shared.web.site import Site, WebSettings

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {"application/problem+json": {"schema": PROBLEM}}}
    for status, description in ((422, "Fields are missing or not valid"), ("default", "Refused (RFC 9457)"))
}

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Application(FastAPI):
    """FastAPI whose OpenAPI document says how other systems sign in."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        document = super().openapi()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
        return document


async def always() -> Mapping[str, bool]:
    """Ready, for a service with nothing to wait for."""
    return {}


@asynccontextmanager
async def nothing_to_start(_: FastAPI) -> AsyncIterator[None]:
    """The lifespan of an application that opens nothing."""
    yield


def health_routes(ready: Readiness, bus_ready: Readiness, registry: CollectorRegistry) -> APIRouter:
    """Liveness, readiness of the pages (database) and of the bus apart, and metrics."""
    router = APIRouter(include_in_schema=False)

    def answer(parts: Mapping[str, bool]) -> JSONResponse:
        well = all(parts.values())
        return JSONResponse({"ready": well, "parts": dict(parts)}, 200 if well else 503)

    @router.get("/health/live")
    async def live() -> JSONResponse:
        return JSONResponse({"live": True})

    @router.get("/health/ready")
    async def web() -> JSONResponse:
        return answer(await ready())

    @router.get("/health/ready/bus")
    async def bus() -> JSONResponse:
        return answer(await bus_ready())

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


def theme_routes(pages: Pages) -> APIRouter:
    """The force's colours as a style sheet, and its logo; addresses carry a version, so browsers may keep them."""
    router = APIRouter(include_in_schema=False)

    @router.get("/theme.css")
    async def theme(force: str | None = None) -> Response:
        return Response(pages.theme_of(force).css, media_type="text/css", headers={"cache-control": FOR_EVER})

    @router.get("/logo")
    async def logo(force: str | None = None) -> Response:
        shown = pages.theme_of(force).logo
        if shown is None:
            raise HTTPException(404)
        return Response(shown.picture, media_type=shown.kind, headers={"cache-control": FOR_EVER})

    return router


def create_app(
    *,
    service: str,
    title: str,
    settings: WebSettings,
    routers: Sequence[APIRouter],
    pages: Pages,
    access_table: Table | None = None,
    refusals: Mapping[type[Refusal], int] | None = None,
    ready: Readiness = always,
    bus_ready: Readiness = always,
    registry: CollectorRegistry | None = None,
    lifespan: Lifespan = nothing_to_start,
    asyncapi: Callable[[], Mapping[str, Any]] | None = None,
    forces: tuple[str, ...] = (),
    max_body: int = MEGABYTE,
    roomy: Mapping[str, int] | None = None,
    force_names: Mapping[str, str] | None = None,
    other_names: Sequence[str] = (),
) -> FastAPI:
    """The web application of one service.

    `access_table` is the service's own rows (shared.web.access.TABLES[service] when left out); `refusals` gives the
    HTTP status of each Refusal (409, and 503 for TryAgain, when left out); `ready` and `bus_ready` name parts and
    whether each is well; `forces` are all forces of this installation, for an identity provider that is not limited
    to some of them by settings.oidc_forces. `force_names` is the force of each host name of a force's own;
    `other_names` are further names of this service. `roomy` says for some paths (patterns) how large a body may be
    there, where photographs arrive. Raises AccessTableBroken when routes and table differ.
    """
    site = Site.of(service, title, settings, force_names or ())
    answers = Answers(pages, refusals or {})
    provider = Provider(settings, site, settings.oidc_forces or forces)

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        async with provider, lifespan(app):
            yield

    app = Application(
        title=title,
        version="1",
        lifespan=living,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.site = site
    app.state.pages = pages
    registry = registry or CollectorRegistry()
    every = [
        health_routes(ready, bus_ready, registry),
        theme_routes(pages),
        document_routes(app, pages, asyncapi),
        signin_routes(provider, pages, site),
    ]
    table = {**EVERY_SERVICE, **(access.TABLES[service] if access_table is None else access_table)}
    rows = add_guarded(app, [*every, *routers], table, site, provider)
    access.check(table, rows)
    app.router.routes.append(Mount("/static", pages.assets, name="static"))

    async def answer(request: Request, error: Exception) -> Response:
        return answers.respond(request, error)

    for kind in (HTTPException, RequestValidationError, Refusal, ForgedForm, SignInNeeded, *DATABASE_AWAY):
        app.add_exception_handler(kind, answer)
    app.add_middleware(Hosts, own_url=site.own_url, of_forces=force_names or {}, others=other_names)
    app.add_middleware(
        Edge,
        service=service,
        registry=registry,
        broken=answers.respond,
        max_body=max_body,
        roomy=roomy or {},
        headers=security_headers(pages.inline_script_hash, site.secure),
    )
    app.add_middleware(Speaking, languages=pages.languages)
    return app


def add_guarded(
    app: FastAPI, routers: Sequence[APIRouter], table: Table, site: Site, provider: Provider
) -> list[access.Row]:
    """Add the routes, each behind its guard, and return their rows.

    Routes are copied rather than included, so that a module's router can serve several applications (in tests) and
    the guard stands before the body is read. A route without a row is closed to everybody.
    """
    rows = []
    for router in routers:
        for route in router.routes:
            if not isinstance(route, APIRoute):
                raise TypeError(f"{route} is no plain route; give create_app each router, not one that includes others")
            methods = route.methods or set()
            if len(methods) != 1:
                raise TypeError(f"{route.path} answers several methods; give each its own route and row")
            row = (next(iter(methods)), route.path)
            rows.append(row)
            guarded = copy.copy(route)
            guarded.responses = {**PROBLEM_RESPONSES, **route.responses}
            rule = table.get(row, frozenset())
            hers = rule in (PUBLIC, SEALED_LINK, HANDED_OVER) and row not in EVERY_SERVICE
            guarded.app = Guard(
                route.app,
                rule,
                site,
                provider.forces,
                provider.user_of_token,
                translated=hers and not route.path.startswith("/api/"),
                on_hosts=hers or route.path in ("/theme.css", "/logo"),
            )
            if not isinstance(rule, Open):
                guarded.openapi_extra = {**(route.openapi_extra or {}), "security": [{"bearer": []}]}
            guarded.include_in_schema = route.include_in_schema and route.path.startswith("/api/")
            app.router.routes.append(guarded)
    return rows
