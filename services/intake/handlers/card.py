"""The contact card: her rules first, who she is for a reason that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.card import Asker, Call, call_of, excludes, refuse_contact
from services.intake.domain.messages import Told
from services.intake.domain.person import Person
from services.intake.domain.refusals import RequestNotFound
from services.intake.domain.requests import Held
from services.intake.handlers.keeping import Keeping, Woman, open_request
from services.intake.store import messages as message_rows
from services.intake.store import participants as participant_rows
from services.intake.store import requests as request_rows
from shared import audit
from shared.audit import Entry
from shared.contracts.walk_requests import ContactRules
from shared.database import Transaction


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


async def show_rules(tx: Transaction, asker: Asker, request_id: UUID, now: datetime, *, keeping: Keeping) -> Card:
    """Her rules, before anything else of hers.

    :raises RequestNotFound, ContactNotYours, ContactStopped: as refuse_contact says.
    """
    woman = await _card(tx, asker, request_id, keeping)
    told = await message_rows.of_request(tx, request_id)
    return Card(woman.held, woman.person.rules, call_of(woman.person.rules, now), told)


async def open_contact(
    tx: Transaction, asker: Asker, request_id: UUID, reason: str, now: datetime, *, keeping: Keeping
) -> Card:
    """Who she is and how to reach her, for a reason that is kept.

    :raises RequestNotFound, ContactNotYours, ContactStopped: as refuse_contact says.
    """
    woman = await _card(tx, asker, request_id, keeping)
    entry = Entry(woman.held.force_id, asker.id, "consulted", str(request_id), reason, recipient=asker.id)
    await audit.record(tx, [entry], now)
    told = await message_rows.of_request(tx, request_id)
    same = await _same_contact(tx, asker, woman, keeping) if asker.coordinator else ()
    return Card(woman.held, woman.person.rules, call_of(woman.person.rules, now), told, woman.person, same)


async def _same_contact(tx: Transaction, asker: Asker, woman: Woman, keeping: Keeping) -> tuple[str, ...]:
    """What looks like another request of hers. One that excludes whoever asks is not told of."""
    digests = [keeping.vault.digest(kind, text) for kind, text in woman.person.looked_up_by()]
    ids = await participant_rows.open_requests_of(tx, woman.held.force_id, digests, woman.held.participant_id)
    others = [open_request(keeping.vault, stored) for stored in (await request_rows.requests(tx, ids)).values()]
    return tuple(sorted(other.held.reference for other in others if not excludes(asker, other.person.rules)))


async def _card(tx: Transaction, asker: Asker, request_id: UUID, keeping: Keeping) -> Woman:
    stored = (await request_rows.requests(tx, [request_id])).get(request_id)
    if stored is None:
        raise RequestNotFound
    woman = open_request(keeping.vault, stored)
    refuse_contact(asker, woman.held, woman.person.rules)
    return woman
