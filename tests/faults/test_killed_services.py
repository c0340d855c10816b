"""Services and their database server killed without warning in the middle of the story."""

from __future__ import annotations

import pytest

from shared.contracts.catalogue import SERVICES
from shared.embedded.stack import POSTGRES, Stack
from tests.flow.test_story import disturbed

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_killed_service_loses_and_doubles_nothing(stack: Stack, service: str) -> None:
    """Killed in the middle and started again; what it had claimed to send is sent when its claim has run out."""

    def disturb() -> None:
        stack.kill(service)
        stack.start(service)

    report = await disturbed(stack, 8, disturb)
    assert report.faults == []
    assert report.completed == 8


async def test_a_database_server_that_is_killed_loses_and_doubles_nothing(stack: Stack) -> None:
    """PostgreSQL is killed in the middle, under all four services, and starts again."""

    def disturb() -> None:
        stack.kill(POSTGRES)
        stack.start(POSTGRES)

    report = await disturbed(stack, 8, disturb)
    assert report.faults == []
    assert report.completed == 8
