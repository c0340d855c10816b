"""What routes, pages and channels of partners are given."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request

from services.partners.settings import Settings
from shared.runtime import Dependencies


class Deps(Dependencies[Settings]):
    """Partners' dependencies."""


def dependencies(request: Request) -> Deps:
    """The dependencies of the application that is answering."""
    return cast(Deps, request.app.state.dependencies)
