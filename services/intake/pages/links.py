"""Links that open nothing: all answered alike, and counted by where they come from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import Depends
from starlette.requests import Request

from services.intake.dependencies import Dependencies, Deps
from services.intake.domain.limits import Act
from services.intake.domain.refusals import LinkInvalid, RequestNotFound
from services.intake.handlers.hers import open_private_link
from shared.web.hosts import force_of_host


async def _counted(request: Request, deps: Deps) -> AsyncIterator[None]:
    """Of a link that opens it asks nothing: whoever shares an address with a flood still reaches her own page."""
    try:
        whose, _ = open_private_link(deps.keeping, request.path_params["token"])
        # At another force's own name there is no page of this one.
        if force_of_host(request) not in (None, whose):
            raise LinkInvalid
        yield
    except (LinkInvalid, RequestNotFound):
        await count_wrong(request, deps)
        raise LinkInvalid from None


async def count_wrong(request: Request, deps: Dependencies) -> None:
    """:raises TooMany: too many wrong links came from there."""
    caller, now, force_id = deps.callers.counted(request), deps.clock(), min(deps.policies.forces)
    async with deps.database.transaction([force_id]) as tx:
        await deps.keeping.counting.take(tx, force_id, Act.WRONG_LINK, caller, now)


WrongLinks: Final[Any] = Depends(_counted)
"""For the routers of pages behind a private link."""
