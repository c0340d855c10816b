"""Any of the services by its name alone, put together as its own composition root does; for tests of all of them."""

from __future__ import annotations

import base64
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from shared.bus.inbox import Inbox
from shared.bus.metrics import BusMetrics
from shared.bus.subscriptions import Subscriptions
from shared.embedded.program import ROOT
from tests.servers.databases import ServiceDatabase

KEY = base64.b64encode(bytes(range(32))).decode()


def settings_of(service: str, database: ServiceDatabase, data: Path) -> Any:
    """Its settings under this database, both roles; the bus is away."""
    kind = import_module(f"services.{service}.settings").Settings
    given = {
        "database_web_url": database.web_url,
        "database_bus_url": database.bus_url,
        "kafka_bootstrap": "localhost:1",
        "forces_dir": ROOT / "deploy" / "forces",
        "data_dir": data,
        "postcodes_dir": ROOT / ".walkandtalk" / "data",
        "session_secret": "a secret of at least thirty-two characters",
        "oidc_issuer": "http://localhost:1",
        "oidc_client_id": "walkandtalk",
        "oidc_client_secret": "none",
        "master_key": KEY,
        "link_key": KEY,
    }
    return kind(**{name: value for name, value in given.items() if name in kind.model_fields})


@asynccontextmanager
async def inbox_of(service: str, database: ServiceDatabase, data: Path) -> AsyncIterator[Inbox]:
    """Its inbox with its own handlers on this database."""
    app = import_module(f"services.{service}.app").build(settings_of(service, database, data))
    async with app.router.lifespan_context(app):
        deps = app.state.dependencies
        make = import_module(f"services.{service}.subscribers").subscriptions
        (wanted,) = inspect.signature(make).parameters
        subscriptions: Subscriptions = make(deps if wanted == "deps" else getattr(deps, wanted))
        metrics = BusMetrics(CollectorRegistry())
        yield Inbox(database.bus, subscriptions, deps.clock, metrics, deps.policies.forces)
