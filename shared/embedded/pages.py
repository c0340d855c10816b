"""Pages that exist on one machine only: their frame, their style, and the headers that keep them harmless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

TEMPLATES = Path(__file__).parent / "templates"
STYLE = Path(__file__).parent / "static"
STATIC = Path(__file__).parents[1] / "web" / "static"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)


def with_style(app: FastAPI) -> FastAPI:
    """Serve the stylesheets that page.html names."""
    app.mount("/style", StaticFiles(directory=STYLE), name="style")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def page(template: str, **values: Any) -> HTMLResponse:
    """A page that loads nothing from elsewhere, runs no script and is kept by no cache."""
    return HTMLResponse(environment.get_template(template).render(**values), headers=HEADERS)
