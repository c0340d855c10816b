"""What she changes herself, by the private link in her messages."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.domain.messages import MessageKind
from services.intake.domain.refusals import LinkInvalid, RequestNotFound
from services.intake.domain.requests import Held, RequestState
from services.intake.handlers.keeping import Keeping, open_request
from services.intake.handlers.messages import call_back
from services.intake.store import participants as participant_rows
from services.intake.store import requests as request_rows
from services.intake.vault import CannotOpen
from shared import audit
from shared.audit import Entry
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.walk_requests import ContactRulesChanged, WalkRequestWithdrawn
from shared.database import Transaction

PRIVATE_LINK: Final = "private link"


def private_link(keeping: Keeping, held: Held) -> str:
    """The address of the page where she, and nobody else, can withdraw or stop all contact."""
    return f"{keeping.intake_url}/your-request/{keeping.vault.seal_text(PRIVATE_LINK, [held.force_id, held.id.hex])}"


def open_private_link(keeping: Keeping, token: str) -> tuple[str, UUID]:
    """(force, request) of a private link.

    :raises LinkInvalid: it is none of ours.
    """
    try:
        force_id, request = keeping.vault.open_text(PRIVATE_LINK, token)
    except CannotOpen:
        raise LinkInvalid from None
    return force_id, UUID(request)


async def her_request(tx: Transaction, request_id: UUID, *, keeping: Keeping) -> tuple[Held, bool]:
    """A request as its owner sees it, and whether she has stopped all contact.

    :raises RequestNotFound: nobody knows it.
    """
    stored = (await request_rows.requests(tx, [request_id])).get(request_id)
    if stored is None:
        raise RequestNotFound
    return stored.held, open_request(keeping.vault, stored).person.rules.stopped


async def withdraw(tx: Transaction, force_id: str, request_id: UUID, now: datetime) -> None:
    """She no longer wants the walk: nothing more is sent. A second time changes nothing.

    :raises RequestNotFound: nobody knows it.
    """
    stored = await request_rows.lock_request(tx, force_id, request_id)
    if stored is None:
        raise RequestNotFound
    if stored.held.state in (RequestState.WITHDRAWN, RequestState.COMPLETED):
        return
    await request_rows.withdraw(tx, force_id, request_id)
    await call_back(tx, [request_id], MessageKind)
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), "withdrew her request")], now)
    await outbox.append(tx, [Fact(WalkRequestWithdrawn(request_id=request_id), force_id, now)])


async def stop_contact(tx: Transaction, force_id: str, request_id: UUID, now: datetime, *, keeping: Keeping) -> None:
    """Contact is no longer safe: every attempt ends, here and everywhere. A second time changes nothing.

    :raises RequestNotFound: nobody knows it.
    """
    stored = await request_rows.lock_request(tx, force_id, request_id)
    if stored is None:
        raise RequestNotFound
    woman = open_request(keeping.vault, stored)
    if woman.person.rules.stopped:
        return
    rules = woman.person.rules.model_copy(update={"stopped": True})
    place = f"person {woman.held.participant_id}"
    sealed = woman.data_key.seal(woman.person.with_rules(rules).as_json(), place)
    await participant_rows.reseal(tx, force_id, woman.held.participant_id, sealed)
    await call_back(tx, [request_id], MessageKind)
    await audit.record(tx, [Entry(force_id, "participant", "altered", str(request_id), "stopped all contact")], now)
    await outbox.append(tx, [Fact(ContactRulesChanged(request_id=request_id, contact=rules), force_id, now)])
