"""Letters: written like every message, posted by a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.intake.domain.card import Asker, refuse_contact
from services.intake.domain.messages import Refuse
from services.intake.domain.refusals import LetterGone
from services.intake.handlers.keeping import Keeping, open_request
from services.intake.handlers.messages import ToSend, message_to_send
from services.intake.store import messages as message_rows
from services.intake.store import requests as request_rows
from services.intake.store.messages import Fate, Letter
from shared import audit, sendings
from shared.audit import Entry
from shared.contracts.kinds import Channel
from shared.database import Transaction


async def letters_to_post(tx: Transaction, force_id: str, now: datetime) -> Sequence[Letter]:
    """What waits to be posted, longest first: references, and nothing that says who she is."""
    return await message_rows.letters_to_post(tx, force_id, now)


async def open_letter(
    tx: Transaction, asker: Asker, force_id: str, message_id: UUID, now: datetime, *, keeping: Keeping
) -> ToSend | Refuse:
    """A letter as it is to be posted, by her rules of now; that it was opened is kept.

    What may go no longer is taken from the list, with the reason.

    :raises LetterGone: it was posted already, or taken back.
    :raises CardNotFound, ContactNotYours, ContactStopped: as refuse_contact says.
    """
    fate = await _waiting(tx, asker, force_id, message_id, keeping)
    found = await message_to_send(tx, force_id, message_id, now, keeping=keeping)
    if isinstance(found, Refuse):
        await sendings.cancel(tx, force_id, [message_id])
        return found
    reason = f"to post a letter: {fate.kind.value}"
    await audit.record(
        tx, [Entry(force_id, asker.id, "consulted", str(fate.request_id), reason, recipient=asker.id)], now
    )
    return found


async def note_posted(
    tx: Transaction, asker: Asker, force_id: str, message_id: UUID, now: datetime, *, keeping: Keeping
) -> None:
    """A person has posted it.

    :raises LetterGone: it was posted already, or taken back.
    :raises CardNotFound, ContactNotYours, ContactStopped: as refuse_contact says.
    """
    fate = await _waiting(tx, asker, force_id, message_id, keeping)
    await sendings.done(tx, force_id, message_id, now)
    keeping.metrics.message(fate.kind, "sent")
    reason = f"posted a letter: {fate.kind.value}"
    await audit.record(tx, [Entry(force_id, asker.id, "disclosed", str(fate.request_id), reason)], now)


async def _waiting(tx: Transaction, asker: Asker, force_id: str, message_id: UUID, keeping: Keeping) -> Fate:
    fate = await message_rows.hold(tx, force_id, message_id)
    if fate is None or fate.channel is not Channel.LETTER or fate.state != "due":
        raise LetterGone
    stored = (await request_rows.requests(tx, [fate.request_id])).get(fate.request_id)
    if stored is None:
        raise LetterGone
    woman = open_request(keeping.vault, stored)
    refuse_contact(asker, woman.held, woman.person.rules)
    return fate
