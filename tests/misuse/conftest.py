"""What bad input is thrown at: the whole stack, with work in every state and everybody signed in."""

from __future__ import annotations

import pytest

from shared.embedded.stack import Stack
from tests.misuse.doors import Ground
from tests.misuse.furnish import furnish
from tests.servers.databases import beside


@pytest.fixture(scope="session")
def ground(stack: Stack) -> Ground:
    """The running stack as everybody who may use it sees it."""
    found = Ground(stack)

    async def prepare() -> None:
        await furnish(stack, walks=2, each=2)
        await found.look_around(visits=60)

    beside(prepare())
    return found
