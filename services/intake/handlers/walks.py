"""What becomes of her walk and of its concerns, and what she is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from services.intake.domain.messages import OF_A_TIME, MessageKind, reminder_from
from services.intake.domain.requests import Held, RequestState
from services.intake.handlers.erasure import bury_walks
from services.intake.handlers.hers import private_link
from services.intake.handlers.keeping import Keeping, open_request
from services.intake.handlers.messages import Notice, announce, call_back
from services.intake.handlers.proposals import forget_times, note_arranged, note_proposed
from services.intake.store import requests as request_rows
from services.intake.store import walks as walk_rows
from services.intake.store.requests import Move
from shared.bus.subscriptions import Outcome
from shared.contracts.envelope import Received
from shared.contracts.referrals import ConcernResolved
from shared.contracts.walks import (
    ConcernsAttached,
    WalkArranged,
    WalkCancelled,
    WalkCompleted,
    WalkEvent,
    WalkNotHeld,
    WalkProposed,
    WalkRearranged,
    WalkReturned,
    WalkRouted,
    WalkTaken,
    WhatNext,
)
from shared.database import Transaction

W = TypeVar("W", bound=WalkEvent)
A = TypeVar("A", bound=WalkArranged)
R = TypeVar("R", WalkRouted, WalkReturned)


LAST_OF_ITS_WALK: Final = 1_000_000
"""The number of a calendar entry that nothing follows: she has another walk from then on. Above any walk's events."""

Moving: TypeAlias = WalkRouted | WalkReturned | WalkTaken | WalkArranged | WalkNotHeld | WalkCancelled | WalkCompleted
"""Events that bring a request further; a walk that is moved is arranged."""


async def _move(tx: Transaction, received: Sequence[Received[Moving]], now: datetime) -> None:
    moves = [
        Move(one.force_id, request_id, state, one.event.walk_id, team_id, officer_id, one.time)
        for one in received
        for state, team_id, officer_id in [_standing(one.event)]
        for request_id in one.event.request_ids
    ]
    await request_rows.move(tx, moves, now)


def _standing(event: Moving) -> tuple[RequestState, str | None, str | None]:
    """How far her request is after an event of its walk, the team if it tells one, and the officer who has it now."""
    match event:
        case WalkRouted():
            return RequestState.ROUTED, event.team_id, None
        case WalkReturned():
            return RequestState.RECEIVED, None, None
        case WalkTaken() | WalkNotHeld():
            return RequestState.TAKEN, event.team_id, event.officer_id
        case WalkArranged():
            return RequestState.ARRANGED, event.team_id, event.officer_id
        case WalkCompleted():
            return RequestState.COMPLETED, event.team_id, event.officer_id
        case WalkCancelled():
            return RequestState.CANCELLED, None, None


async def _of_their_walk(tx: Transaction, received: Sequence[Received[W]]) -> list[Received[W]]:
    """These events, each for those alone whom its walk still answers.

    Events of two walks come in no common order: she who was taken out of a group may hear of it before she would hear
    what the group's walk had told earlier.
    """
    standing = await request_rows.walks_as_of(tx, _of(received))
    found = []
    for one in received:
        left = []
        for request_id in one.event.request_ids:
            walk_id, since = standing.get(request_id, (one.event.walk_id, one.time))
            if walk_id == one.event.walk_id or since <= one.time:
                standing[request_id] = (one.event.walk_id, since if walk_id == one.event.walk_id else one.time)
                left.append(request_id)
        if left:
            found.append(one._replace(event=one.event.model_copy(update={"request_ids": tuple(left)})))
    return found


def _of(received: Sequence[Received[WalkEvent]]) -> list[UUID]:
    return [request_id for one in received for request_id in one.event.request_ids]


async def route_requests(
    tx: Transaction,
    received: Sequence[Received[R]],
    now: datetime,
    *,
    keeping: Keeping,
) -> None:
    """The team that is to arrange her walk is known, or has to be found anew. Where a time was proposed or agreed
    before, it lapses: whoever was to keep it has her walk no longer. Of one that was agreed she is told."""
    theirs = await _of_their_walk(tx, received)
    known = await request_rows.requests(tx, _of(theirs))
    anew = [
        one
        for one in theirs
        if any(
            id_ in known and known[id_].held.state in (RequestState.TAKEN, RequestState.ARRANGED)
            for id_ in one.event.request_ids
        )
    ]
    await forget_times(tx, anew, keeping=keeping)
    await call_back(tx, _of(anew), [kind for kind in OF_A_TIME if kind is not MessageKind.AGAIN])
    notices = [
        Notice(
            open_request(keeping.vault, stored),
            MessageKind.AGAIN,
            {
                "link": private_link(keeping, stored.held),
                "calendar": _calendar(
                    keeping,
                    stored.held,
                    stored.held.walk_id,
                    # An entry of the same walk may come back with another time.
                    one.sequence if one.event.walk_id == stored.held.walk_id else LAST_OF_ITS_WALK,
                ),
            },
            now,
        )
        for one, stored in ((one, known[id_]) for one in anew for id_ in one.event.request_ids if id_ in known)
        if stored.held.state is RequestState.ARRANGED and stored.held.walk_id is not None
    ]
    await announce(tx, keeping, notices, now)
    await _move(tx, theirs, now)
    await bury_walks(tx, [(one.force_id, one.event.walk_id, one.event.request_ids) for one in received], now)


async def take_requests(tx: Transaction, received: Sequence[Received[WalkTaken]], now: datetime) -> None:
    """An officer has taken her walk on, and may now open her contact card."""
    await _move(tx, await _of_their_walk(tx, received), now)


async def tell_proposed(
    tx: Transaction, received: Sequence[Received[WalkProposed]], now: datetime, *, keeping: Keeping
) -> None:
    """Ask her which of the officer's times suits; an earlier proposal she was not told yet is not sent any more."""
    received = await _of_their_walk(tx, received)
    await note_proposed(tx, received, keeping=keeping)
    await call_back(tx, _of(received), [MessageKind.PROPOSED])
    await _tell(
        tx,
        keeping,
        received,
        MessageKind.PROPOSED,
        lambda held, one: {
            "times": [at.isoformat() for at in one.event.times],
            "until": one.event.answer_by.isoformat(),
            "meeting_place": one.event.meeting_place,
            "link": private_link(keeping, held),
        },
        now,
    )


async def tell_arranged(
    tx: Transaction, received: Sequence[Received[WalkArranged]], now: datetime, *, keeping: Keeping
) -> None:
    """Tell her when and where, and remind her the day before; nothing of an earlier time is sent any more."""
    await _tell_time(tx, keeping, received, MessageKind.ARRANGED, now)


async def tell_moved(
    tx: Transaction, received: Sequence[Received[WalkRearranged]], now: datetime, *, keeping: Keeping
) -> None:
    """Tell her the new time or place, and remind her of that alone."""
    await _tell_time(tx, keeping, received, MessageKind.MOVED, now)


async def _tell_time(
    tx: Transaction,
    keeping: Keeping,
    received: Sequence[Received[A]],
    kind: MessageKind,
    now: datetime,
) -> None:
    received = await _of_their_walk(tx, received)
    await _move(tx, received, now)
    await note_arranged(tx, received, keeping=keeping)
    await call_back(tx, _of(received), OF_A_TIME)

    def facts(held: Held, one: Received[A]) -> Mapping[str, Any]:
        return {
            "starts_at": one.event.starts_at.isoformat(),
            "meeting_place": one.event.meeting_place,
            "link": private_link(keeping, held),
            "calendar": _calendar(keeping, held, one.event.walk_id, one.sequence),
        }

    await _tell(tx, keeping, received, kind, facts, now)
    reminded = {one.id: reminder_from(one.event.starts_at, now) for one in received}
    await _tell(tx, keeping, received, MessageKind.REMINDER, facts, now, lambda one: reminded[one.id])


def _calendar(keeping: Keeping, held: Held, walk_id: UUID, sequence: int) -> Mapping[str, Any]:
    """Whose entry it is in her calendar, the same for all messages of her walk; a number that rises with its events."""
    digest = keeping.vault.digest("calendar entry", f"{walk_id} {held.id}")
    return {"uid": digest[:16].hex(), "sequence": sequence}


async def tell_not_held(
    tx: Transaction, received: Sequence[Received[WalkNotHeld]], now: datetime, *, keeping: Keeping
) -> None:
    """Tell her that the time no longer stands; why is not said. Of a walk that is closed WalkCancelled tells her."""
    received = await _of_their_walk(tx, received)
    await _move(tx, received, now)
    await forget_times(tx, received, keeping=keeping)
    await call_back(tx, _of(received), OF_A_TIME)
    await _tell(
        tx,
        keeping,
        [one for one in received if one.event.what_next is not WhatNext.CLOSE],
        MessageKind.AGAIN,
        lambda held, one: {
            "link": private_link(keeping, held),
            "calendar": _calendar(keeping, held, one.event.walk_id, one.sequence),
        },
        now,
    )


async def tell_cancelled(
    tx: Transaction, received: Sequence[Received[WalkCancelled]], now: datetime, *, keeping: Keeping
) -> None:
    """Tell her that the walk will not take place; its officer sees her contact card no longer."""
    received = await _of_their_walk(tx, received)
    await _move(tx, received, now)
    await forget_times(tx, received, keeping=keeping)
    await call_back(tx, _of(received), OF_A_TIME)
    await _tell(
        tx,
        keeping,
        received,
        MessageKind.CANCELLED,
        lambda held, one: {"calendar": _calendar(keeping, held, one.event.walk_id, one.sequence)},
        now,
    )


async def complete_requests(tx: Transaction, received: Sequence[Received[WalkCompleted]], now: datetime) -> Outcome:
    """The walk was held: its concerns are known from now on, so that she can be told what became of them."""
    theirs = await _of_their_walk(tx, received)
    await _move(tx, theirs, now)
    await call_back(tx, _of(theirs), OF_A_TIME)
    return await _attach(tx, received)


async def attach_concerns(tx: Transaction, received: Sequence[Received[ConcernsAttached]], now: datetime) -> Outcome:
    """Concerns recorded after the walk was closed."""
    return await _attach(tx, received)


async def _attach(
    tx: Transaction, received: Sequence[Received[WalkCompleted]] | Sequence[Received[ConcernsAttached]]
) -> Outcome:
    concerns = [
        (one.force_id, concern_id, one.event.walk_id) for one in received for concern_id in one.event.concern_ids
    ]
    await walk_rows.add_concerns(tx, concerns)
    return Outcome(arrived=[concern_id for _, concern_id, _ in concerns])


async def _tell(
    tx: Transaction,
    keeping: Keeping,
    received: Sequence[Received[W]],
    kind: MessageKind,
    facts: Callable[[Held, Received[W]], Mapping[str, Any]],
    now: datetime,
    not_before: Callable[[Received[W]], datetime | None] = lambda _: datetime.min.replace(tzinfo=UTC),
) -> None:
    """Tell each woman of these walks; nobody where `not_before` knows no moment for it."""
    known = await request_rows.requests(tx, _of(received))
    notices = [
        Notice(open_request(keeping.vault, known[request_id]), kind, facts(known[request_id].held, one), at)
        for one in received
        if (at := not_before(one)) is not None
        for request_id in one.event.request_ids
        if request_id in known
    ]
    await announce(tx, keeping, notices, now)


async def tell_resolved(
    tx: Transaction, received: Sequence[Received[ConcernResolved]], now: datetime, *, keeping: Keeping
) -> Outcome:
    """Tell the women of the walk what became of a concern; one whose walk is not known yet waits for it."""
    walks = await walk_rows.walks_of_concerns(tx, [one.event.concern_id for one in received])
    women = await request_rows.requests_of_walks(tx, set(walks.values()))
    notices = [
        Notice(
            open_request(keeping.vault, stored),
            MessageKind.DONE,
            {
                "resolution": one.event.resolution.value,
                "words": one.event.words,
                "partner": one.event.partner_name,
            },
            now,
        )
        for one in received
        if one.event.concern_id in walks
        for stored in women.get(walks[one.event.concern_id], ())
    ]
    await announce(tx, keeping, notices, now)
    await walk_rows.note_resolved(tx, list(walks), now)
    return Outcome(awaiting={one.id: one.event.concern_id for one in received if one.event.concern_id not in walks})
