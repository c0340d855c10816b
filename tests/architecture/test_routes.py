"""Pages and calls run on the event loop: what FastAPI would hand to a thread costs every request two switches."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.contracts.catalogue import SERVICES


def called(dependant: Dependant) -> Iterator[object]:
    """A route's function and all that it depends on."""
    yield dependant.call
    for one in dependant.dependencies:
        yield from called(one)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("module", ["routes", "pages"])
def test_nothing_of_a_route_is_run_in_a_thread(service: str, module: str) -> None:
    """Every route and every dependency of one is a coroutine function, or an asynchronous generator."""
    routes = importlib.import_module(f"services.{service}.{module}").router.routes
    functions = [one for route in routes if isinstance(route, APIRoute) for one in called(route.dependant)]
    assert functions
    awaited = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    assert [one for one in functions if not any(kind(one) for kind in awaited)] == []
