"""What she changes herself, by the private link in her messages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from services.intake.domain.messages import OF_A_TIME, MessageKind
from services.intake.domain.person import Person
from services.intake.domain.refusals import LinkInvalid, RequestNotFound
from services.intake.domain.requests import Held, RequestState
from services.intake.domain.standing import NOTHING, Reach, Standing, amended, refuse_amendment
from services.intake.handlers.keeping import Keeping, Woman, open_request
from services.intake.handlers.messages import call_back
from services.intake.handlers.proposals import open_times, open_wanted, save_times, seal_wanted
from services.intake.store import participants as participant_rows
from services.intake.store import requests as request_rows
from services.intake.store import standing as standing_rows
from services.intake.vault import CannotOpen
from shared import audit
from shared.audit import Entry
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.kinds import Point
from shared.contracts.walk_requests import (
    Availability,
    ContactRules,
    ContactRulesChanged,
    WalkRequestAmended,
    WalkRequestWithdrawn,
)
from shared.database import Transaction
from shared.working_days import day

PRIVATE_LINK: Final = "private link"


def private_link(keeping: Keeping, held: Held) -> str:
    """The address of the page where she, and nobody else, can withdraw or stop all contact."""
    token = keeping.vault.seal_text(PRIVATE_LINK, [held.force_id, held.id.hex])
    return f"{keeping.home(held.force_id)}/your-request/{token}"


def open_private_link(keeping: Keeping, token: str) -> tuple[str, UUID]:
    """(force, request) of a private link. One that is none of ours leads to a request nobody has: it is answered as
    that of a woman who was erased, after the same looks.

    :raises LinkInvalid: it is none of ours, and we serve no force.
    """
    try:
        force_id, request = keeping.vault.open_text(PRIVATE_LINK, token)
    except CannotOpen:
        if not keeping.limits:
            raise LinkInvalid from None
        return min(keeping.limits), uuid4()
    return force_id, UUID(request)


@dataclass(frozen=True, slots=True)
class HerRequest:
    """A request as its owner sees it; nothing in it says who she is."""

    held: Held
    asked_at: datetime
    rules: ContactRules
    wanted: WalkRequestAmended | None
    """Where and when she wants to walk; None for a request of an earlier version."""
    standing: Standing


async def her_request(tx: Transaction, request_id: UUID, *, keeping: Keeping) -> HerRequest:
    """A request as its owner sees it.

    :raises RequestNotFound: nobody knows it.
    """
    stored = (await request_rows.requests(tx, [request_id])).get(request_id)
    if stored is None:
        raise RequestNotFound
    woman = open_request(keeping.vault, stored)
    sealed = (await standing_rows.standing(tx, [request_id]))[request_id]
    return HerRequest(
        woman.held, sealed.asked_at, woman.person.rules, open_wanted(woman, sealed), open_times(woman, sealed)
    )


async def _hold(tx: Transaction, force_id: str, request_id: UUID, keeping: Keeping) -> Woman:
    stored = await request_rows.lock_request(tx, force_id, request_id)
    if stored is None:
        raise RequestNotFound
    return open_request(keeping.vault, stored)


async def withdraw(tx: Transaction, force_id: str, request_id: UUID, now: datetime) -> None:
    """She no longer wants the walk: nothing more is sent. A second time changes nothing.

    :raises RequestNotFound: nobody knows it.
    """
    stored = await request_rows.lock_request(tx, force_id, request_id)
    if stored is None:
        raise RequestNotFound
    if stored.held.state in (RequestState.WITHDRAWN, RequestState.COMPLETED):
        return
    await request_rows.withdraw(tx, force_id, request_id, now)
    await call_back(tx, [request_id], MessageKind)
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), "withdrew her request")], now)
    await outbox.append(tx, [Fact(WalkRequestWithdrawn(request_id=request_id), force_id, now)])


async def stop_contact(tx: Transaction, force_id: str, request_id: UUID, now: datetime, *, keeping: Keeping) -> None:
    """Contact is no longer safe: every attempt ends, here and everywhere. A second time changes nothing.

    :raises RequestNotFound: nobody knows it.
    """
    woman = await _hold(tx, force_id, request_id, keeping)
    if woman.person.rules.stopped:
        return
    rules = woman.person.rules.model_copy(update={"stopped": True})
    await _reseal(tx, woman, woman.person.with_rules(rules))
    await participant_rows.note_stopped(tx, force_id, woman.held.participant_id, now)
    await call_back(tx, [request_id], MessageKind)
    await _lapse(tx, woman)
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), "stopped all contact")], now)
    await outbox.append(tx, [Fact(ContactRulesChanged(request_id=request_id, contact=rules), force_id, now)])


@dataclass(frozen=True, slots=True)
class Amendment:
    """Where and when she wants to walk now; what is None stays as it is."""

    availability: Availability
    group_walk_welcome: bool | None = None
    place: Point | None = None
    from_postcode: bool = True
    """Whether the place is a postcode's middle, so only roughly hers."""


async def amend(
    tx: Transaction, force_id: str, request_id: UUID, change: Amendment, now: datetime, *, keeping: Keeping
) -> None:
    """She wants to walk elsewhere or at other times: what was proposed lapses. The same again changes nothing.

    :raises RequestNotFound: nobody knows it.
    :raises TooLateToChange: a time is agreed, or the walk is over.
    :raises FieldsWrong: a place or a possible day is missing; fields as on her page.
    """
    woman = await _hold(tx, force_id, request_id, keeping)
    refuse_amendment(woman.held.state)
    before = open_wanted(woman, (await standing_rows.standing(tx, [request_id]))[request_id])
    wanted = amended(
        request_id,
        before,
        change.place,
        change.availability,
        change.group_walk_welcome,
        day(now),
        from_postcode=change.from_postcode,
    )
    if wanted == before:
        return
    await request_rows.note_heard_of(tx, force_id, request_id, now)
    await standing_rows.save_wanted(tx, force_id, request_id, seal_wanted(woman.data_key, wanted))
    await call_back(tx, [request_id], [MessageKind.PROPOSED])
    await _lapse(tx, woman)
    if before is not None and wanted.place != before.place:
        # Another team's, perhaps: its officer gets her contact card with the next event of the walk.
        await standing_rows.let_go(tx, force_id, request_id)
        if woman.person.wishes.stops:
            # Her contact card would still name them beside a walk that passes elsewhere.
            await _reseal(tx, woman, replace(woman.person, wishes=replace(woman.person.wishes, stops="")))
    why = "changed where or when she wants to walk"
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), why)], now)
    await outbox.append(tx, [Fact(wanted, force_id, now)])


async def change_contact(
    tx: Transaction, force_id: str, request_id: UUID, reach: Reach, now: datetime, *, keeping: Keeping
) -> None:
    """She may be contacted in another way from now on. The same again changes nothing.

    Once she has stopped all contact nothing here begins it again: whoever holds her link might not be her.

    :raises RequestNotFound: nobody knows it.
    :raises FieldsWrong: a way was chosen whose address or number we do not have; fields as on her page.
    """
    woman = await _hold(tx, force_id, request_id, keeping)
    if woman.person.rules.stopped:
        return
    person = reach.of(woman.person)
    if person == woman.person:
        return
    await request_rows.note_heard_of(tx, force_id, request_id, now)
    await _reseal(tx, woman, person)
    if person.looked_up_by() != woman.person.looked_up_by():
        digests = [keeping.vault.digest(kind, text) for kind, text in person.looked_up_by()]
        await participant_rows.recognise_by(tx, force_id, woman.held.participant_id, digests)
    if woman.held.officer_id in person.rules.excluded_officers:
        # The officer who has it is the one she fears: what that officer arranged is not for her any more.
        await standing_rows.let_go(tx, force_id, request_id)
        await call_back(tx, [request_id], OF_A_TIME)
        await save_times(tx, [(woman, NOTHING)])
    why = "changed how she may be contacted"
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), why)], now)
    if person.rules != woman.person.rules:
        changed = ContactRulesChanged(request_id=request_id, contact=person.rules)
        await outbox.append(tx, [Fact(changed, force_id, now)])


async def _reseal(tx: Transaction, woman: Woman, person: Person) -> None:
    place = f"person {woman.held.participant_id}"
    sealed = woman.data_key.seal(person.as_json(), place)
    await participant_rows.reseal(tx, woman.held.force_id, woman.held.participant_id, sealed)


async def _lapse(tx: Transaction, woman: Woman) -> None:
    """What was proposed can no longer be chosen."""
    sealed = (await standing_rows.standing(tx, [woman.held.id]))[woman.held.id]
    before = open_times(woman, sealed)
    if before.offer is not None:
        await save_times(tx, [(woman, replace(before, offer=None))])
