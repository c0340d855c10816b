"""Walks nobody has taken yet."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.assignment.dependencies import Deps, Page, SignedIn, person
from services.assignment.domain.walks import State
from services.assignment.handlers import looking
from shared.web.pages import render

router = APIRouter()


@router.get("/queue")
async def queue(
    request: Request,
    user: SignedIn,
    deps: Deps,
    team_id: Annotated[str | None, Query(max_length=63)] = None,
    page: Page = 1,
) -> Response:
    """Walks nobody has taken yet, longest waiting first."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        names = await looking.names(tx, user.force_id)
        walks, more = await looking.list_walks(tx, by, State.ROUTED, team_id or None, page)
    teams = names.teams if by.is_coordinator else {id_: names.team(id_) for id_ in sorted(by.team_ids)}
    return render(
        request,
        "queue.html",
        names=names,
        walks=walks,
        teams=teams,
        team_id=team_id or "",
        page=page,
        more=more,
        now=deps.clock(),
    )
