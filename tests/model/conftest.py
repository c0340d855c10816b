"""One house for all explorations: a database of its own, cloned from the migrated template."""

from __future__ import annotations

from collections.abc import Iterator

import asyncpg
import pytest
from hypothesis import settings

from shared.observability import configure_logging
from tests.model.house import House
from tests.servers.databases import Templates, beside

# Long and at random: make test ARGS="tests/model --hypothesis-profile=deep"
settings.register_profile("deep", max_examples=500, stateful_step_count=60, deadline=None, print_blob=True)

_NAME = "model_of_the_bus"


@pytest.fixture(scope="session")
def deep(request: pytest.FixtureRequest) -> bool:
    """Whether the long exploration was asked for."""
    return bool(request.config.getoption("--hypothesis-profile") == "deep")


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Thousands of deaths are not worth a line each."""
    configure_logging("tests", "CRITICAL")
    yield
    configure_logging("tests", "WARNING")


async def _admin(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def house(templates: Templates) -> Iterator[House]:
    beside(
        _admin(
            templates.admin_url,
            f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)",
            f"CREATE DATABASE {_NAME} TEMPLATE partners OWNER partners_owner",
            f"GRANT CONNECT ON DATABASE {_NAME} TO partners_web, partners_bus",
            # The server does not die here, so nothing has to wait for its disk; and members that lock each other out
            # need not wait a second to be told.
            f"ALTER DATABASE {_NAME} SET synchronous_commit = off",
            f"ALTER DATABASE {_NAME} SET deadlock_timeout = '20ms'",
        )
    )
    admin_url = templates.admin_url.rsplit("/", 1)[0] + "/" + _NAME
    opened = House(templates.url("partners", "bus", _NAME), admin_url)
    opened.open()
    yield opened
    opened.close()
    beside(_admin(templates.admin_url, f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)"))
