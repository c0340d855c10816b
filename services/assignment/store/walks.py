"""Walks as they stand, with their requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.assignment.domain.areas import Located
from services.assignment.domain.refusals import DisclosureOpen, MayNotWalk, OfficerDoubleBooked
from services.assignment.domain.requests import Request
from services.assignment.domain.walks import NotHeld, Proposal, ProposalAnswer, State, TriageReason, Walk
from services.assignment.store import QUERIES
from services.assignment.store.requests import request_of
from services.assignment.store.rows import PAGE, Key, columns, point_of, uuid_of
from shared.contracts.kinds import OfficerKind
from shared.contracts.walks import RoutedBy, WhyNotHeld
from shared.database import Row, Transaction


async def lock_walks(tx: Transaction, walks: Iterable[Key]) -> dict[UUID, Walk]:
    """These walks with their requests, locked until the transaction ends; unknown ones are left out."""
    return {walk.id: walk for walk in await with_requests(tx, await tx.fetch(QUERIES.lock_walks, *columns(walks)))}


async def walks(tx: Transaction, wanted: Iterable[Key]) -> dict[UUID, Walk]:
    """These walks with their requests; unknown ones are left out."""
    return {walk.id: walk for walk in await with_requests(tx, await tx.fetch(QUERIES.walks_by_id, *columns(wanted)))}


async def queue(
    tx: Transaction,
    force_id: str,
    state: State,
    team_ids: Sequence[str] | None,
    asking: tuple[str, str | None] | None,
    page: int,
) -> tuple[list[Walk], bool]:
    """A page (from 1) of the walks in a state, longest waiting first, and whether more follow.

    `team_ids` None is every team; `asking` is the officer and the officer's own team: walks that exclude
    either are left out.
    """
    asks = (asking[0] if asking else None, asking[1] if asking else None, PAGE + 1, (page - 1) * PAGE)
    if team_ids is None:
        rows = await tx.fetch(QUERIES.queue_of_force, force_id, state.value, *asks)
    else:
        rows = await tx.fetch(QUERIES.queue_of_teams, force_id, state.value, list(team_ids), *asks)
    return await with_requests(tx, rows[:PAGE]), len(rows) > PAGE


async def walks_of_officer(tx: Transaction, force_id: str, officer_id: str) -> list[Walk]:
    """What an officer has in hand, the next to be held first; at most 50."""
    return await with_requests(tx, await tx.fetch(QUERIES.walks_of_officer, force_id, officer_id, PAGE))


async def walks_with_officer(tx: Transaction, force_id: str, officer_id: str) -> list[Walk]:
    """What an officer has in hand or comes along to, the next to be held first; at most 50."""
    return await with_requests(tx, await tx.fetch(QUERIES.walks_with_officer, force_id, officer_id, PAGE))


async def save_walks(tx: Transaction, changed: Sequence[Walk]) -> None:
    """Write walks as they now are, not their requests.

    :raises OfficerDoubleBooked: an officer has another arranged walk at that time; the transaction is lost.
    :raises MayNotWalk: the last door, of the table itself: an officer may not be given a walk; the transaction is lost.
    """
    if not changed:
        return
    located = [walk.located for walk in changed]
    try:
        await tx.run(
            QUERIES.save_walks,
            [walk.force_id for walk in changed],
            [walk.id for walk in changed],
            [walk.state.value for walk in changed],
            [walk.place.latitude for walk in changed],
            [walk.place.longitude for walk in changed],
            [walk.requested_at for walk in changed],
            [walk.arrange_by for walk in changed],
            [walk.triage_reason for walk in changed],
            [place.area_id if place else None for place in located],
            [place.team_id if place else None for place in located],
            [place.boundary_version if place else None for place in located],
            [place.how.value if place else None for place in located],
            [place.distance_m if place else None for place in located],
            [walk.officer_id for walk in changed],
            [walk.officer_kind for walk in changed],
            [walk.starts_at for walk in changed],
            [walk.busy_until for walk in changed],
            [walk.meeting_place for walk in changed],
            [walk.started_at for walk in changed],
            [walk.ended_at for walk in changed],
            [walk.streetsafe_shown for walk in changed],
            [walk.cancel_reason for walk in changed],
            [_proposal_json(walk.proposal) for walk in changed],
            [walk.second_id for walk in changed],
            [_not_held_json(walk.not_held) for walk in changed],
            [walk.check_in_at for walk in changed],
        )
    except asyncpg.ExclusionViolationError as fault:
        raise OfficerDoubleBooked from fault
    except asyncpg.CheckViolationError as fault:
        if fault.constraint_name == "officer_may_walk":
            raise MayNotWalk from fault
        if fault.constraint_name == "walk_closed_with_disclosure":
            raise DisclosureOpen from fault
        raise


async def with_requests(tx: Transaction, rows: Sequence[Row]) -> list[Walk]:
    """Walks from their rows, in the rows' order, with their requests."""
    if not rows:
        return []
    keys = [(row["force_id"], row["id"]) for row in rows]
    requests: defaultdict[UUID, list[Request]] = defaultdict(list)
    for row in await tx.fetch(QUERIES.requests_of_walks, *columns(keys)):
        requests[row["walk_id"]].append(request_of(row))
    return [_walk(row, tuple(requests[row["id"]])) for row in rows]


def _walk(row: Row, requests: tuple[Request, ...]) -> Walk:
    located = None
    if row["area_id"] is not None:
        located = Located(
            row["area_id"], row["team_id"], row["boundary_version"], RoutedBy(row["routed_by"]), row["distance_m"]
        )
    return Walk(
        force_id=row["force_id"],
        id=uuid_of(row["id"]),
        state=State(row["state"]),
        place=point_of(row),
        requested_at=row["requested_at"],
        arrange_by=row["arrange_by"],
        requests=requests,
        triage_reason=TriageReason(row["triage_reason"]) if row["triage_reason"] else None,
        located=located,
        officer_id=row["officer_id"],
        officer_kind=OfficerKind(row["officer_kind"]) if row["officer_kind"] else None,
        starts_at=row["starts_at"],
        busy_until=row["busy_until"],
        meeting_place=row["meeting_place"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        streetsafe_shown=row["streetsafe_shown"],
        cancel_reason=row["cancel_reason"],
        proposal=_proposal(row["proposal"]),
        second_id=row["second_officer_id"],
        not_held=_not_held(row["not_held"]),
        check_in_at=row["check_in_at"],
    )


def _not_held_json(found: tuple[NotHeld, ...]) -> dict[str, Any] | None:
    # Arrays of arrays are taken apart to the last element, so the times stand in an object.
    if not found:
        return None
    return {"times": [{"starts_at": each.starts_at.isoformat(), "why": each.why} for each in found]}


def _not_held(found: Any) -> tuple[NotHeld, ...]:
    if found is None:
        return ()
    return tuple(NotHeld(datetime.fromisoformat(each["starts_at"]), WhyNotHeld(each["why"])) for each in found["times"])


def _proposal_json(proposal: Proposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {
        "id": proposal.id.hex,
        "times": [at.isoformat() for at in proposal.times],
        "meeting_place": proposal.meeting_place,
        "answer_by": proposal.answer_by.isoformat(),
        "answer": proposal.answer,
        "chosen": proposal.chosen.isoformat() if proposal.chosen else None,
    }


def _proposal(found: Any) -> Proposal | None:
    if found is None:
        return None
    return Proposal(
        UUID(found["id"]),
        tuple(map(datetime.fromisoformat, found["times"])),
        found["meeting_place"],
        datetime.fromisoformat(found["answer_by"]),
        ProposalAnswer(found["answer"]) if found["answer"] else None,
        datetime.fromisoformat(found["chosen"]) if found["chosen"] else None,
    )
