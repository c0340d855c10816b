"""The service's own documentation: OpenAPI and AsyncAPI as JSON and as pages that load nothing from elsewhere."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared.web.pages import Pages
from shared.web.problems import wants_json

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation or message as the page shows it."""

    title: str
    anchor: str
    summary: str
    description: str
    parts: tuple[tuple[str, str], ...]


def pretty(schema: object) -> str:
    """A schema as indented JSON."""
    return json.dumps(schema, indent=2, ensure_ascii=False)


def resolved(document: Document, part: Any) -> Any:
    """The part a local `$ref` points to, one step deep; the part itself when it is no reference."""
    while isinstance(part, Mapping) and isinstance(reference := part.get("$ref"), str) and reference.startswith("#/"):
        part = document
        for step in reference[2:].split("/"):
            part = part[step.replace("~1", "/").replace("~0", "~")]
    return part


def operations(document: Document) -> Iterator[Entry]:
    """The calls of an OpenAPI document."""
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            parts = []
            if parameters := operation.get("parameters"):
                parts.append(("Parameters", pretty(parameters)))
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                parts.append((f"Body ({kind})", pretty(resolved(document, content.get("schema", {})))))
            for status, answer in operation.get("responses", {}).items():
                schemas = {
                    kind: resolved(document, content.get("schema", {}))
                    for kind, content in answer.get("content", {}).items()
                }
                parts.append((f"{status}: {answer.get('description', '')}", pretty(schemas) if schemas else ""))
            yield Entry(
                f"{method.upper()} {path}",
                operation.get("operationId", f"{method}-{path}"),
                operation.get("summary", ""),
                operation.get("description", ""),
                tuple(parts),
            )


def messages(document: Document) -> Iterator[Entry]:
    """The messages of an AsyncAPI 3 document, channel by channel, and whether the service sends or receives them."""
    directions: dict[str, set[str]] = {}
    for operation in document.get("operations", {}).values():
        channel = operation.get("channel", {}).get("$ref", "").rpartition("/")[2]
        directions.setdefault(channel, set()).add("sends" if operation.get("action") == "send" else "receives")
    for key, channel in document.get("channels", {}).items():
        for name, reference in channel.get("messages", {}).items():
            message = resolved(document, reference)
            parts = [
                (part.capitalize(), pretty(resolved(document, message[part])))
                for part in ("headers", "payload")
                if part in message
            ]
            yield Entry(
                f"{channel.get('address', key)}: {message.get('name', name)}",
                f"{key}-{name}",
                f"This service {' and '.join(sorted(directions.get(key, {'knows'})))} this.",
                message.get("description") or message.get("summary") or "",
                tuple(parts),
            )


def document_routes(app: FastAPI, pages: Pages, asyncapi: Callable[[], Document] | None) -> APIRouter:
    """/docs and /openapi.json, /asyncapi and /asyncapi.json; the latter are absent without a document."""
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        document = app.openapi()
        return pages.render(
            request,
            "documents.html",
            title="Calls of this service",
            entries=list(operations(document)),
            raw="/openapi.json",
            kind="OpenAPI " + document["openapi"],
        )

    @router.get("/asyncapi.json")
    async def asyncapi_json() -> JSONResponse:
        if asyncapi is None:
            raise HTTPException(404)
        return JSONResponse(asyncapi())

    @router.get("/asyncapi")
    async def asyncapi_page(request: Request) -> Response:
        if asyncapi is None:
            raise HTTPException(404)
        document = asyncapi()
        if wants_json(request):
            return JSONResponse(document)
        return pages.render(
            request,
            "documents.html",
            title="Events of this service",
            entries=list(messages(document)),
            raw="/asyncapi.json",
            kind="AsyncAPI " + str(document.get("asyncapi", "")),
        )

    return router
