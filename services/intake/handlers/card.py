"""The contact card: her rules first, who she is for a reason that is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.domain.card import Asker, Call, call_of, excludes, refuse_contact
from services.intake.domain.messages import Refuse, Told
from services.intake.domain.person import Person
from services.intake.domain.refusals import CardNotFound, ContactNotYours
from services.intake.domain.requests import Held
from services.intake.handlers.keeping import Keeping, Woman, open_request
from services.intake.store import messages as message_rows
from services.intake.store import participants as participant_rows
from services.intake.store import requests as request_rows
from shared import audit
from shared.audit import Entry
from shared.contracts.walk_requests import ContactRules
from shared.database import Transaction

_UNSAID: Final = "a coordinator speaks with her first"


@dataclass(frozen=True, slots=True)
class Card:
    """A contact card; `person` only once a reason was given, and with it what a coordinator has to know besides."""

    held: Held
    rules: ContactRules
    call: Call | None
    told: list[Told]
    """What she was told, or was not, newest first."""
    person: Person | None = None
    same_contact: tuple[str, ...] = ()
    """References of other open requests with the same address or number; for coordinators."""
    to_be_spoken_to: bool = False
    """Nobody writes to her, or rings, before a coordinator has spoken to her and says so here."""
    stopped_elsewhere: bool = False
    """Whether who asks may know why: somebody with her address or number has stopped all contact."""


async def show_rules(tx: Transaction, asker: Asker, request_id: UUID, now: datetime, *, keeping: Keeping) -> Card:
    """Her rules, before anything else of hers.

    :raises CardNotFound, ContactNotYours, ContactStopped: as refuse_contact says.
    """
    return await _closed(tx, asker, await _hers(tx, asker, request_id, keeping), now, keeping)


async def open_contact(
    tx: Transaction, asker: Asker, request_id: UUID, reason: str, now: datetime, *, keeping: Keeping
) -> Card:
    """Who she is and how to reach her, for a reason that is kept; closed to all but the coordinator who may know why,
    where a coordinator has to speak with her first.

    :raises CardNotFound, ContactNotYours, ContactStopped: as refuse_contact says.
    """
    woman = await _hers(tx, asker, request_id, keeping)
    card = await _closed(tx, asker, woman, now, keeping)
    if card.to_be_spoken_to and not card.stopped_elsewhere:
        return card
    entry = Entry(woman.held.force_id, asker.id, "consulted", str(request_id), reason, recipient=asker.id)
    await audit.record(tx, [entry], now)
    same = await _same_contact(tx, asker, woman, keeping) if asker.coordinator else ()
    return replace(card, person=woman.person, same_contact=same)


async def note_spoken(
    tx: Transaction, asker: Asker, request_id: UUID, reason: str, now: datetime, *, keeping: Keeping
) -> None:
    """The coordinator has spoken to her: what somebody with her address or number stopped does not bind her any more.

    :raises CardNotFound, ContactNotYours, ContactStopped: as refuse_contact says.
    """
    woman = await _hers(tx, asker, request_id, keeping)
    if not asker.coordinator:
        raise ContactNotYours
    if not await participant_rows.stopped_elsewhere(tx, woman.held.force_id, woman.held.participant_id):
        return
    await participant_rows.note_spoken(tx, woman.held.force_id, woman.held.participant_id, now)
    entry = Entry(woman.held.force_id, asker.id, "altered", str(request_id), f"spoke to her: {reason}")
    await audit.record(tx, [entry], now)


async def _closed(tx: Transaction, asker: Asker, woman: Woman, now: datetime, keeping: Keeping) -> Card:
    rules = woman.person.rules
    told = await message_rows.of_request(tx, woman.held.id)
    others = await participant_rows.stopped_elsewhere(tx, woman.held.force_id, woman.held.participant_id)
    known = asker.coordinator and not any(
        excludes(asker, open_request(keeping.vault, stored).person.rules)
        for stored in (await request_rows.requests(tx, others)).values()
    )
    if not known:
        # Whoever she fears is not to learn from this request that there is another.
        told = [replace(one, refused=_UNSAID) if one.refused == Refuse.ELSEWHERE else one for one in told]
    call = call_of(rules, now) if known or not others else None
    return Card(woman.held, rules, call, told, to_be_spoken_to=bool(others), stopped_elsewhere=bool(others) and known)


async def _same_contact(tx: Transaction, asker: Asker, woman: Woman, keeping: Keeping) -> tuple[str, ...]:
    """What looks like another request of hers. One that excludes whoever asks is not told of."""
    digests = [keeping.vault.digest(kind, text) for kind, text in woman.person.looked_up_by()]
    ids = await participant_rows.open_requests_of(tx, woman.held.force_id, digests, woman.held.participant_id)
    others = [open_request(keeping.vault, stored) for stored in (await request_rows.requests(tx, ids)).values()]
    return tuple(sorted(other.held.reference for other in others if not excludes(asker, other.person.rules)))


async def _hers(tx: Transaction, asker: Asker, request_id: UUID, keeping: Keeping) -> Woman:
    stored = (await request_rows.requests(tx, [request_id])).get(request_id)
    if stored is None:
        raise CardNotFound
    woman = open_request(keeping.vault, stored)
    refuse_contact(asker, woman.held, woman.person.rules)
    return woman
