"""What waits for whoever is signed in."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.assignment.dependencies import Deps, SignedIn, person
from services.assignment.domain.walks import State
from services.assignment.handlers import disclosures as disclosing
from services.assignment.handlers import follow_ups as following_up
from services.assignment.handlers import looking
from services.assignment.pages.notices import notice
from shared.web.pages import render

router = APIRouter()


@router.get("/")
async def my_work(request: Request, user: SignedIn, deps: Deps) -> Response:
    """What waits for this person."""
    now = deps.clock()
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        names = await looking.names(tx, user.force_id)
        in_hand = await looking.work_in_hand(tx, by)
        waiting, more_waiting = await looking.list_walks(tx, by, State.ROUTED, None, 1)
        follow_ups, _ = await following_up.list_follow_ups(tx, by, 1)
        disclosure_overdue = await disclosing.overdue_for(tx, by, now)
        force = await looking.work_waiting(tx, by, now) if by.is_coordinator else None
    return render(
        request,
        "my_work.html",
        by=by,
        names=names,
        arranged=[walk for walk in in_hand if walk.state is State.ARRANGED],
        to_arrange=[walk for walk in in_hand if walk.state is State.TAKEN],
        waiting=len(waiting),
        more_waiting=more_waiting,
        follow_ups=follow_ups,
        disclosure_overdue=disclosure_overdue,
        force=force,
        now=now,
        notice=notice(request),
    )
