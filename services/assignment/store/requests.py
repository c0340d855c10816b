"""Requests as they stand, and which walk answers each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.assignment.domain.requests import Request
from services.assignment.domain.walks import Walk
from services.assignment.store import QUERIES
from services.assignment.store.rows import Key, columns, point_of, uuid_of
from shared.contracts.kinds import Point, Reason
from shared.contracts.walk_requests import Availability, ContactRules
from shared.database import Row, Transaction


async def known_requests(tx: Transaction, requests: Iterable[Key]) -> set[UUID]:
    """Which of these requests have a walk already."""
    return {row["id"] for row in await tx.fetch(QUERIES.known_requests, *columns(requests))}


async def walks_of_requests(tx: Transaction, requests: Iterable[Key]) -> dict[UUID, UUID]:
    """The walk that answers each of these requests; one that is not known here is left out."""
    return {row["id"]: row["walk_id"] for row in await tx.fetch(QUERIES.walks_of_requests, *columns(requests))}


async def save_requests(tx: Transaction, changed: Sequence[Walk]) -> None:
    """Write the requests of these walks as they now are."""
    rows = [(walk, request) for walk in changed for request in walk.requests]
    if not rows:
        return
    await tx.run(
        QUERIES.save_requests,
        [walk.force_id for walk, _ in rows],
        [request.id for _, request in rows],
        [walk.id for walk, _ in rows],
        [request.requested_at for _, request in rows],
        [request.place.latitude for _, request in rows],
        [request.place.longitude for _, request in rows],
        [request.place_from_postcode for _, request in rows],
        [request.lives_or_works_here for _, request in rows],
        [" ".join(request.reasons) for _, request in rows],
        [request.availability.model_dump(mode="json") for _, request in rows],
        [request.contact.model_dump(mode="json") for _, request in rows],
        [request.group_walk_welcome for _, request in rows],
        [request.language for _, request in rows],
        [request.withdrawn_at for _, request in rows],
        [request.amended_at for _, request in rows],
        # Arrays of arrays are taken apart to the last element, so the points stand in an object.
        [{"points": [at.model_dump() for at in request.route]} if request.route else None for _, request in rows],
    )


def request_of(row: Row) -> Request:
    """A request from its row."""
    return Request(
        id=uuid_of(row["id"]),
        requested_at=row["requested_at"],
        place=point_of(row),
        place_from_postcode=row["place_from_postcode"],
        lives_or_works_here=row["lives_or_works_here"],
        reasons=tuple(map(Reason, row["reasons"])),
        availability=Availability.model_validate(row["availability"]),
        contact=ContactRules.model_validate(row["contact"]),
        group_walk_welcome=row["group_walk_welcome"],
        language=row["language"],
        withdrawn_at=row["withdrawn_at"],
        amended_at=row["amended_at"],
        route=tuple(map(Point.model_validate, row["route"]["points"])) if row["route"] else (),
    )
