"""The record of a walk, as the phone sends it: each thing by itself, and the same thing as often as it takes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from services.assignment.dependencies import Deps, SignedIn, person
from services.assignment.domain.noting import Noted, Said
from services.assignment.domain.refusals import PostcodeWrong
from services.assignment.domain.walks import Walk
from services.assignment.handlers import noting
from services.assignment.handlers.looking import walk_in_hand
from services.assignment.handlers.noting import At, Note, OfConcern
from services.assignment.photos import cleaned
from services.assignment.routes.bodies import Body, Moment, Words
from shared.contracts.envelope import ShortText
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.refusals import Refusal

router = APIRouter(prefix="/api/v1")


class AtBody(Body):
    """When the walk started or ended, by the phone's clock."""

    at: Moment


class NoteBody(Body):
    """A concern as it is noted: nothing of it is told anybody before its officer has seen what partners will see.

    Without place and postcode it lies where she asked to walk. `photo` is what POST …/photos gave.
    """

    category: Reason
    place: Point | None = None
    postcode: Annotated[str, Field(max_length=64)] | None = None
    place_name: ShortText | None = None
    time_of_day: PartOfDay | None = None
    severity: Severity = Severity.MEDIUM
    words: Words | None = None
    suggests: Words | None = None
    patrol_wanted: bool = False
    photo: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    photo_looked_at: bool = False


class NotedView(BaseModel):
    """A concern as it stands on the record. `passed_at` is empty where partners have not been told of it."""

    concern_id: UUID
    category: Reason
    place: Point
    place_name: str | None
    time_of_day: PartOfDay | None
    severity: Severity
    words: str | None
    suggests: str | None
    patrol_wanted: bool
    photo: str | None
    noted_at: datetime
    passed_at: datetime | None


class RecordView(BaseModel):
    """The record of a walk; what is empty has not been said."""

    walk_id: UUID
    started_at: datetime | None
    ended_at: datetime | None
    came: tuple[UUID, ...] | None
    strategy_discussed: bool | None
    streetsafe_shown: bool | None
    streetsafe_used: bool | None
    signposted: bool | None
    sticker_handed_over: bool | None
    concerns: tuple[NotedView, ...]


class PhotoView(BaseModel):
    """A photograph that was drawn anew and kept; it goes again where no concern names it within a day."""

    photo: str


def noted_view(noted: Noted, said: Said) -> NotedView:
    """A concern as the API shows it."""
    return NotedView(
        concern_id=noted.id,
        category=said.category,
        place=said.place,
        place_name=said.place_name,
        time_of_day=said.time_of_day,
        severity=said.severity,
        words=said.words,
        suggests=said.suggests,
        patrol_wanted=said.patrol_wanted,
        photo=said.photo,
        noted_at=noted.noted_at,
        passed_at=noted.passed_at,
    )


@router.get("/walks/{walk_id}/record")
async def look_at_record(walk_id: UUID, user: SignedIn, deps: Deps) -> RecordView:
    """What stands on the record of a walk; the look is logged."""
    async with deps.database.transaction([user.force_id]) as tx:
        found = await noting.look_at_record(tx, walk_id, await person(tx, user), deps.clock())
    record = found.record
    return RecordView(
        walk_id=walk_id,
        started_at=record.started_at,
        ended_at=record.ended_at,
        came=None if record.came is None else tuple(sorted(record.came)),
        strategy_discussed=record.strategy_discussed,
        streetsafe_shown=record.streetsafe_shown,
        streetsafe_used=record.streetsafe_used,
        signposted=record.signposted,
        sticker_handed_over=record.sticker_handed_over,
        concerns=tuple(noted_view(one, one.said) for one in found.noted if one.said is not None),
    )


@router.put("/walks/{walk_id}/started", status_code=204)
async def started(walk_id: UUID, body: AtBody, user: SignedIn, deps: Deps) -> None:
    """The walk has started; the first moment told stands."""
    async with deps.database.transaction([user.force_id]) as tx:
        await noting.start_walk(tx, At(walk_id, await person(tx, user), body.at), deps.clock())


@router.put("/walks/{walk_id}/ended", status_code=204)
async def ended(walk_id: UUID, body: AtBody, user: SignedIn, deps: Deps) -> None:
    """The walk has ended; the first moment told stands."""
    async with deps.database.transaction([user.force_id]) as tx:
        await noting.end_walk(tx, At(walk_id, await person(tx, user), body.at), deps.clock())


@router.put("/walks/{walk_id}/concerns/{concern_id}")
async def note(walk_id: UUID, concern_id: UUID, body: NoteBody, user: SignedIn, deps: Deps) -> NotedView:
    """Note a concern under an id of the sender's own making. Sent again it is the same, as it stands by then."""
    place = body.place or await _place(body.postcode, walk_id, user, deps)
    said = Said(
        category=body.category,
        place=place,
        place_name=body.place_name,
        time_of_day=body.time_of_day,
        severity=body.severity,
        words=body.words,
        suggests=body.suggests,
        patrol_wanted=body.patrol_wanted,
        photo=body.photo,
        photo_looked_at=body.photo_looked_at and body.photo is not None,
    )
    async with deps.database.transaction([user.force_id]) as tx:
        noted = await noting.note(tx, Note(walk_id, await person(tx, user), concern_id, said), deps.clock())
    return noted_view(noted, noted.said or said)


async def _place(postcode: str | None, walk_id: UUID, user: SignedIn, deps: Deps) -> Point:
    walk = await _walk(walk_id, user, deps)
    if postcode is None:
        return walk.place
    try:
        return await deps.place_of(postcode)
    except Refusal as refusal:
        raise PostcodeWrong from refusal


async def _walk(walk_id: UUID, user: SignedIn, deps: Deps) -> Walk:
    async with deps.database.transaction([user.force_id]) as tx:
        return await walk_in_hand(tx, walk_id, await person(tx, user))


@router.delete("/walks/{walk_id}/concerns/{concern_id}", status_code=204)
async def remove(walk_id: UUID, concern_id: UUID, user: SignedIn, deps: Deps) -> Response:
    """Take a concern off the record, also one that has not arrived yet."""
    async with deps.database.transaction([user.force_id]) as tx:
        await noting.remove(tx, OfConcern(walk_id, await person(tx, user), concern_id), deps.clock())
    return Response(status_code=204)


@router.post("/walks/{walk_id}/photos")
async def add_photo(request: Request, walk_id: UUID, user: SignedIn, deps: Deps) -> PhotoView:
    """Send a photograph as the body, JPEG, PNG or WebP: nothing but the picture is kept, under the hash it gets."""
    await _walk(walk_id, user, deps)
    return PhotoView(photo=await deps.put_photo(user, walk_id, await cleaned(await request.body())))
