"""Walks as other systems read and change them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.assignment.dependencies import Deps, Page, SignedIn, person
from services.assignment.domain.record import RecordedConcern
from services.assignment.domain.walks import State
from services.assignment.handlers import arranging, looking, routing, taking
from services.assignment.handlers import record as recording
from services.assignment.handlers.arranging import Arrange, Cancel, Propose
from services.assignment.handlers.record import Complete
from services.assignment.handlers.routing import Route
from services.assignment.handlers.taking import Take
from services.assignment.routes.bodies import ArrangeBody, CancelBody, CompleteBody, ProposeBody, RouteBody, TakeBody
from services.assignment.routes.views import WalkList, WalkView, walk_view
from shared.contracts.envelope import Slug

router = APIRouter(prefix="/api/v1")


@router.get("/walks")
async def list_walks(
    user: SignedIn,
    deps: Deps,
    state: State = State.ROUTED,
    team_id: Annotated[Slug | None, Query()] = None,
    page: Page = 1,
) -> WalkList:
    """Walks in a state, longest waiting first: an officer's own teams, a coordinator's force."""
    async with deps.database.transaction([user.force_id]) as tx:
        found, more = await looking.list_walks(tx, await person(tx, user), state, team_id, page)
    return WalkList(walks=tuple(walk_view(walk, deps) for walk in found), page=page, more=more)


@router.get("/walks/{walk_id}")
async def look_at_walk(walk_id: UUID, user: SignedIn, deps: Deps) -> WalkView:
    """One walk with its concerns and what partners said of them; the look is logged."""
    async with deps.database.transaction([user.force_id]) as tx:
        record = await looking.look_at_walk(tx, walk_id, await person(tx, user), deps.clock())
    return walk_view(record.walk, deps, record)


@router.post("/walks/{walk_id}/take")
async def take(walk_id: UUID, body: TakeBody, user: SignedIn, deps: Deps) -> WalkView:
    """Take a walk on, once."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = Take(walk_id, await person(tx, user), body.officer_id)
        (walk,) = await taking.take(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/arrange")
async def arrange(walk_id: UUID, body: ArrangeBody, user: SignedIn, deps: Deps) -> WalkView:
    """Time and meeting place are agreed; again for another time."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = Arrange(walk_id, await person(tx, user), body.starts_at, body.meeting_place)
        (walk,) = await arranging.arrange(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/propose")
async def propose(walk_id: UUID, body: ProposeBody, user: SignedIn, deps: Deps) -> WalkView:
    """Propose times for her to choose from; again to replace them."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        command = Propose(walk_id, by, body.times, body.meeting_place, body.answer_by)
        (walk,) = await arranging.propose(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/cancel")
async def cancel(walk_id: UUID, body: CancelBody, user: SignedIn, deps: Deps) -> WalkView:
    """The walk will not take place."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = Cancel(walk_id, await person(tx, user), body.reason)
        (walk,) = await arranging.cancel(tx, [command], deps.clock())
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/complete")
async def complete(walk_id: UUID, body: CompleteBody, user: SignedIn, deps: Deps) -> WalkView:
    """Record a walk that was held, and its concerns."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        command = Complete(
            walk_id,
            by,
            body.started_at,
            body.ended_at,
            body.streetsafe_shown,
            [RecordedConcern(**dict(concern)) for concern in body.concerns],
        )
        await recording.complete(tx, [command], deps.clock(), policies=deps.policies)
        record = await looking.look_at_walk(tx, walk_id, by, deps.clock())
    return walk_view(record.walk, deps, record)


@router.post("/walks/{walk_id}/route")
async def route(walk_id: UUID, body: RouteBody, user: SignedIn, deps: Deps) -> WalkView:
    """A coordinator gives a walk in triage its area."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = Route(walk_id, await person(tx, user), body.area_id)
        (walk,) = await routing.route_by_hand(tx, [command], deps.clock())
    return walk_view(walk, deps)
