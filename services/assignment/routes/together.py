"""Second officers, women who walk together, walks not held and officers who are back, for other systems."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter

from services.assignment.dependencies import Deps, SignedIn, person
from services.assignment.handlers import check_ins, groups, not_held, second
from services.assignment.handlers.check_ins import CheckIn
from services.assignment.handlers.groups import Join, Part
from services.assignment.handlers.not_held import NotHeld
from services.assignment.handlers.second import Bring
from services.assignment.routes.bodies import Body
from services.assignment.routes.views import WalkView, walk_view
from shared.contracts.envelope import Slug
from shared.contracts.walks import WhatNext, WhyNotHeld

router = APIRouter(prefix="/api/v1")


class SecondBody(Body):
    """Who comes along; nobody where it is left out."""

    officer_id: Slug | None = None


class JoinBody(Body):
    """The walk whose women join."""

    joined: UUID


class PartBody(Body):
    """Who walks alone again."""

    request_id: UUID


class NotHeldBody(Body):
    """Why the walk did not take place, and what becomes of it."""

    why: WhyNotHeld
    what_next: WhatNext


class CheckInBody(Body):
    """Back, or well and still out."""

    answer: Literal["back", "out"]


@router.post("/walks/{walk_id}/second")
async def bring_second(walk_id: UUID, body: SecondBody, user: SignedIn, deps: Deps) -> WalkView:
    """An officer comes along, or nobody any more."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = Bring(walk_id, await person(tx, user), body.officer_id)
        (walk,) = await second.bring(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/join")
async def join(walk_id: UUID, body: JoinBody, user: SignedIn, deps: Deps) -> WalkView:
    """The women of another walk walk with those of this one."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = Join(walk_id, await person(tx, user), body.joined)
        walk = await groups.join(tx, command, deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/part")
async def part(walk_id: UUID, body: PartBody, user: SignedIn, deps: Deps) -> WalkView:
    """One of the women walks alone again, on a walk of her own; the walk without her."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = Part(walk_id, await person(tx, user), body.request_id)
        walk = await groups.part(tx, command, deps.clock(), policies=deps.policies, locate=deps.registers.locate)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/not-held")
async def note_not_held(walk_id: UUID, body: NotHeldBody, user: SignedIn, deps: Deps) -> WalkView:
    """The arranged walk did not take place."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = NotHeld(walk_id, await person(tx, user), body.why, body.what_next)
        (walk,) = await not_held.not_held(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/check-in")
async def check_in(walk_id: UUID, body: CheckInBody, user: SignedIn, deps: Deps) -> WalkView:
    """The officers are back, or well and still out."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = CheckIn(walk_id, await person(tx, user), body.answer == "back")
        (walk,) = await check_ins.check_in(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)
