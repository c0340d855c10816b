"""What becomes of her walk and of its concerns, and what she is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from services.intake.domain.messages import MessageKind
from services.intake.domain.requests import Held, RequestState
from services.intake.handlers.hers import private_link
from services.intake.handlers.keeping import Keeping, open_request
from services.intake.handlers.messages import Notice, announce, call_back
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
    WalkRouted,
    WalkTaken,
)
from shared.database import Transaction

W = TypeVar("W", bound=WalkEvent)


def _moves(received: Sequence[Received[WalkEvent]], state: RequestState, *, assigned: bool = True) -> list[Move]:
    return [
        Move(
            one.force_id,
            request_id,
            state,
            one.event.walk_id,
            getattr(one.event, "team_id", None),
            getattr(one.event, "officer_id", None) if assigned else None,
        )
        for one in received
        for request_id in one.event.request_ids
    ]


def _of(received: Sequence[Received[WalkEvent]]) -> list[UUID]:
    return [request_id for one in received for request_id in one.event.request_ids]


async def route_requests(tx: Transaction, received: Sequence[Received[WalkRouted]], now: datetime) -> None:
    """The team that is to arrange her walk is known."""
    await request_rows.move(tx, _moves(received, RequestState.ROUTED))


async def take_requests(tx: Transaction, received: Sequence[Received[WalkTaken]], now: datetime) -> None:
    """An officer has taken her walk on, and may now open her contact card."""
    await request_rows.move(tx, _moves(received, RequestState.TAKEN))


async def tell_arranged(
    tx: Transaction, received: Sequence[Received[WalkArranged]], now: datetime, *, keeping: Keeping
) -> None:
    """Tell her when and where; an earlier time that she was not told yet is not sent any more."""
    await request_rows.move(tx, _moves(received, RequestState.ARRANGED))
    await call_back(tx, _of(received), [MessageKind.ARRANGED, MessageKind.CANCELLED])
    await _tell(
        tx,
        keeping,
        received,
        MessageKind.ARRANGED,
        lambda held, arranged: {
            "starts_at": arranged.starts_at.isoformat(),
            "meeting_place": arranged.meeting_place,
            "link": private_link(keeping, held),
        },
        now,
    )


async def tell_cancelled(
    tx: Transaction, received: Sequence[Received[WalkCancelled]], now: datetime, *, keeping: Keeping
) -> None:
    """Tell her that the walk will not take place; its officer sees her contact card no longer."""
    await request_rows.move(tx, _moves(received, RequestState.CANCELLED, assigned=False))
    await call_back(tx, _of(received), [MessageKind.ARRANGED])
    await _tell(tx, keeping, received, MessageKind.CANCELLED, lambda _, __: {}, now)


async def complete_requests(tx: Transaction, received: Sequence[Received[WalkCompleted]], now: datetime) -> Outcome:
    """The walk was held: its concerns are known from now on, so that she can be told what became of them."""
    await request_rows.move(tx, _moves(received, RequestState.COMPLETED))
    await call_back(tx, _of(received), [MessageKind.ARRANGED])
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
    facts: Callable[[Held, W], Mapping[str, Any]],
    now: datetime,
) -> None:
    known = await request_rows.requests(tx, _of(received))
    notices = [
        Notice(open_request(keeping.vault, known[request_id]), kind, facts(known[request_id].held, one.event), now)
        for one in received
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
    return Outcome(awaiting={one.id: one.event.concern_id for one in received if one.event.concern_id not in walks})
