"""The web side of every service as it is built for production, without what it stands on, for tests of its doors."""

from __future__ import annotations

import base64
from importlib import import_module
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import SecretStr

from shared.contracts.catalogue import SERVICES
from shared.web.access import EVERY_SERVICE, TABLES, Rule
from shared.web.guard import Guard

ROOT = Path(__file__).parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()


def app_of(service: str, **given: Any) -> FastAPI:
    """The service in the web role. Its databases are nowhere unless given: what needs one answers 503."""
    settings = import_module(f"services.{service}.settings").Settings
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    app: FastAPI = import_module(f"services.{service}.app").build(
        settings(
            **{
                "roles": ("web",),
                "port": 8001 + SERVICES.index(service),
                "database_web_url": nowhere,
                "database_bus_url": nowhere,
                "kafka_bootstrap": "127.0.0.1:1",
                "forces_dir": ROOT / "deploy" / "forces",
                "data_dir": ROOT / ".walkandtalk" / "data",
                "session_secret": SecretStr("a secret of at least thirty-two characters"),
                "oidc_issuer": "http://127.0.0.1:1",
                "oidc_client_id": "walkandtalk",
                "oidc_client_secret": SecretStr("client-secret"),
                "link_key": SecretStr(KEY),
                "form_least_seconds": 0.0,
                "master_key": SecretStr(KEY),
                **given,
            }
        )
    )
    return app


def routes_of(app: FastAPI) -> list[tuple[str, APIRoute]]:
    """(method, route) of every route of an application."""
    return [
        (method, route)
        for route in app.router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def rule_of(service: str, method: str, route: APIRoute) -> Rule:
    """What the access table says of a route; KeyError where it says nothing."""
    assert isinstance(route.app, Guard), f"{route.path} stands behind no guard"
    return {**EVERY_SERVICE, **TABLES[service]}[method, route.path]


def parameters(dependant: Dependant) -> dict[str, tuple[str, Any]]:
    """Every parameter a route takes from its path, query and headers: name → (where, type)."""
    found = {
        param.alias: (where, param.field_info.annotation)
        for where, params in (
            ("path", dependant.path_params),
            ("query", dependant.query_params),
            ("header", dependant.header_params),
            ("cookie", dependant.cookie_params),
        )
        for param in params
    }
    for inner in dependant.dependencies:
        found |= parameters(inner)
    return found
