"""Calls and visits: wanted by a worrying answer, asked for without its cause, noted when they are over."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from services.intake.handlers.keeping import Keeping, open_request
from services.intake.store import follow_ups as follow_up_rows
from services.intake.store import requests as request_rows
from services.intake.store.follow_ups import WantedContact
from services.intake.vault import CannotOpen
from shared import timers
from shared.bus import outbox
from shared.bus.outbox import Fact
from shared.contracts.envelope import Received
from shared.contracts.feedback import FeedbackFlagged
from shared.contracts.kinds import Urgency
from shared.contracts.walk_requests import ContactWanted
from shared.contracts.walks import FollowUpCompleted, FollowUpHandedOver
from shared.database import Transaction
from shared.timers import Due, Fired

CONTACT_IS_TOLD: Final = "contact-is-told"
CONTACT: Final = "contact reference"
_WANTED: Final = "wanted contact"
_WANTED_SIZE: Final = 128

_WANTED_WAITS: Final = (1.0, 5.0)
"""Seconds. Enough to be another transaction; no wait that is safe for her would hide the moment."""

# Nobody may guess the moment and the order in which contacts are told from the state of an ordinary generator.
_CHANCE: Final = random.SystemRandom()


async def want_contact(
    tx: Transaction, received: Sequence[Received[FeedbackFlagged]], now: datetime, *, keeping: Keeping
) -> None:
    """Find out whom a worrying answer came from, and have an officer's call or visit asked for a little later.

    That her answer led to it is known for the length of this call alone: what waits is sealed anew, names no flag, and
    is told in a transaction of its own. Who asked not to be contacted sent no reference, and is left in peace.

    :raises CannotOpen: a reference was not sealed by this master key.
    """
    wanted = []
    for one in received:
        if one.event.contact is not None:
            force_id, request = keeping.vault.open_text(CONTACT, one.event.contact)
            if force_id != one.force_id:
                raise CannotOpen
            wanted_id = uuid4()
            content = {"request": request, "urgency": one.event.urgency}
            sealed = keeping.vault.seal(_WANTED, content, str(wanted_id), size=_WANTED_SIZE)
            wanted.append(WantedContact(force_id, wanted_id, sealed))
    _CHANCE.shuffle(wanted)
    await follow_up_rows.add_wanted_contacts(tx, wanted)
    waits = [Due(one.force_id, one.id, now + timedelta(seconds=_CHANCE.uniform(*_WANTED_WAITS))) for one in wanted]
    await timers.set(tx, CONTACT_IS_TOLD, waits)


async def wanted_of(
    tx: Transaction, keeping: Keeping, force_id: str, requests: Collection[UUID]
) -> list[dict[str, Any]]:
    """Contacts that are wanted about these requests and were not told yet, for a copy she asked for."""
    found = []
    for one in await follow_up_rows.all_wanted_contacts(tx, [force_id]):
        content = keeping.vault.open(_WANTED, one.sealed, str(one.id))
        if UUID(content["request"]) in requests:
            found.append({"sealed": content})
    return found


def request_wanted(keeping: Keeping, one: WantedContact) -> UUID:
    """Which request a contact that waits is about."""
    return UUID(keeping.vault.open(_WANTED, one.sealed, str(one.id))["request"])


async def tell_wanted_contacts(tx: Transaction, fired: Sequence[Fired], now: datetime, *, keeping: Keeping) -> None:
    """Ask for the calls and visits that are wanted; the events name neither a flag nor a cause."""
    found = []
    for one in await follow_up_rows.take_wanted_contacts(tx, [one.subject for one in fired]):
        content = keeping.vault.open(_WANTED, one.sealed, str(one.id))
        found.append((one.force_id, UUID(content["request"]), Urgency(content["urgency"])))
    known = await request_rows.requests(tx, [request_id for _, request_id, _ in found])
    told = [
        (force_id, ContactWanted(request_id=request_id, contact_id=uuid4(), urgency=urgency))
        for force_id, request_id, urgency in found
        if request_id in known and not open_request(keeping.vault, known[request_id]).person.rules.stopped
    ]
    _CHANCE.shuffle(told)
    await follow_up_rows.note_wanted(tx, [event.request_id for _, event in told], now)
    await outbox.append(tx, [Fact(event, force_id, now) for force_id, event in told])


async def note_callers(tx: Transaction, received: Sequence[Received[FollowUpHandedOver]], now: datetime) -> None:
    """Another officer makes the call or visit, and may open her contact card; the last one told holds."""
    await follow_up_rows.note_callers(
        tx, {(one.force_id, one.event.request_id): one.event.officer_id for one in received}
    )


async def note_follow_ups(tx: Transaction, received: Sequence[Received[FollowUpCompleted]], now: datetime) -> None:
    """The call or visit that was wanted is over."""
    await follow_up_rows.note_follow_ups(tx, [(one.force_id, one.event.request_id) for one in received], now)
