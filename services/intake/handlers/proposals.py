"""Times proposed to her and her answer; what is agreed. All sealed under her key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.intake.domain import standing as deciding
from services.intake.domain.refusals import RequestNotFound
from services.intake.domain.standing import NOTHING, Standing
from services.intake.handlers.keeping import Keeping, Woman, open_request
from services.intake.store import requests as request_rows
from services.intake.store import standing as standing_rows
from services.intake.store.standing import Sealed
from services.intake.vault import DataKey
from shared import audit
from shared.audit import Entry
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.envelope import Received
from shared.contracts.walk_requests import ProposalAnswered, WalkRequestAmended
from shared.contracts.walks import WalkArranged, WalkEvent, WalkProposed
from shared.database import Transaction

W = TypeVar("W", bound=WalkEvent)


def seal_wanted(data_key: DataKey, wanted: WalkRequestAmended) -> bytes:
    """Where and when she wants to walk, as her row keeps it."""
    return data_key.seal(wanted.model_dump(mode="json"), f"wanted {wanted.request_id}")


def open_wanted(woman: Woman, sealed: Sealed) -> WalkRequestAmended | None:
    """Where and when she wants to walk; None for a request of an earlier version."""
    if sealed.wanted is None:
        return None
    return WalkRequestAmended.model_validate(woman.data_key.open(sealed.wanted, f"wanted {woman.held.id}"))


def open_times(woman: Woman, sealed: Sealed) -> Standing:
    """What is proposed and agreed."""
    if sealed.times is None:
        return NOTHING
    return Standing.from_json(woman.data_key.open(sealed.times, f"times {woman.held.id}"))


async def save_times(tx: Transaction, saved: Iterable[tuple[Woman, Standing]]) -> None:
    """Write what is proposed and agreed."""
    await standing_rows.save_times(
        tx,
        [
            (
                woman.held.force_id,
                woman.held.id,
                None if now == NOTHING else woman.data_key.seal(now.as_json(), f"times {woman.held.id}"),
            )
            for woman, now in saved
        ],
    )


async def note_proposed(tx: Transaction, received: Sequence[Received[WalkProposed]], *, keeping: Keeping) -> None:
    """Keep the times she may choose from, for her page."""
    await _note(tx, received, lambda before, event: before.proposed(event), keeping)


async def note_arranged(tx: Transaction, received: Sequence[Received[WalkArranged]], *, keeping: Keeping) -> None:
    """Keep when and where the walk is to be, for her page."""
    await _note(tx, received, lambda _, event: deciding.arranged(event), keeping)


async def forget_times(tx: Transaction, received: Sequence[Received[WalkEvent]], *, keeping: Keeping) -> None:
    """Nothing is proposed or agreed any more."""
    await _note(tx, received, lambda _, __: NOTHING, keeping)


async def _note(
    tx: Transaction,
    received: Sequence[Received[W]],
    change: Callable[[Standing, W], Standing],
    keeping: Keeping,
) -> None:
    ids = [request_id for one in received for request_id in one.event.request_ids]
    await standing_rows.hold(tx, ids)
    known, sealed = await request_rows.requests(tx, ids), await standing_rows.standing(tx, ids)
    saved: dict[UUID, tuple[Woman, Standing]] = {}
    for one in received:
        for request_id in one.event.request_ids:
            if (stored := known.get(request_id)) is not None:
                woman = open_request(keeping.vault, stored)
                before = saved[request_id][1] if request_id in saved else open_times(woman, sealed[request_id])
                saved[request_id] = (woman, change(before, one.event))
    await save_times(tx, saved.values())


async def answer(
    tx: Transaction,
    force_id: str,
    request_id: UUID,
    proposal_id: UUID,
    chosen: datetime | None,
    now: datetime,
    *,
    keeping: Keeping,
) -> None:
    """She has chosen a time, or none of them suits. The same answer again changes nothing.

    :raises RequestNotFound: nobody knows it.
    :raises TimesGone: these times can no longer be chosen.
    """
    stored = await request_rows.lock_request(tx, force_id, request_id)
    if stored is None:
        raise RequestNotFound
    woman = open_request(keeping.vault, stored)
    before = open_times(woman, (await standing_rows.standing(tx, [request_id]))[request_id])
    after = deciding.choose(before, woman.held.state, proposal_id, chosen, now)
    if after == before or after.offer is None:
        return
    await save_times(tx, [(woman, after)])
    await request_rows.note_heard_of(tx, force_id, request_id, now)
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), "answered proposed times")], now)
    answered = ProposalAnswered(
        request_id=request_id, walk_id=after.offer.walk_id, proposal_id=proposal_id, chosen=chosen
    )
    await outbox.append(tx, [Fact(answered, force_id, now)])
