"""What is kept no longer: women whose requests are long over, what messages said, letters nobody posted; and what is
kept all the same, because the data protection officer says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.intake.domain.messages import Refuse
from services.intake.domain.refusals import RequestNotFound
from services.intake.handlers.erasure import erase
from services.intake.handlers.keeping import Keeping
from services.intake.store import erasure as erasure_rows
from services.intake.store import retention as retention_rows
from shared import audit, sendings
from shared.audit import Entry
from shared.database import Transaction


async def erase_past(
    tx: Transaction, force_id: str, ids: Sequence[UUID], before: datetime, now: datetime, *, keeping: Keeping
) -> None:
    """Erase the women who made these requests as if each had asked for it.

    They are held still and looked at once more: of one who has just changed something, nothing goes.
    """
    await erasure_rows.lock_all_of_hers(tx, [(force_id, id_) for id_ in ids])
    still = await retention_rows.still_past(tx, force_id, before)
    for id_ in ids:
        if id_ in still:
            await erase(tx, force_id, id_, "retention", "kept for as long as the policy says", now, keeping=keeping)


async def empty_messages(tx: Transaction, force_id: str, ids: Sequence[UUID], before: datetime, now: datetime) -> None:
    """What was said in these messages goes; that they were sent, and whether they arrived, stays."""
    await retention_rows.empty_messages(tx, force_id, ids)


async def give_up_letters(tx: Transaction, force_id: str, ids: Sequence[UUID], before: datetime, now: datetime) -> None:
    """Letters that nobody posted are taken from the list."""
    await sendings.cancel(tx, force_id, ids)
    await retention_rows.refuse_letters(tx, force_id, ids, Refuse.LATE)


async def put_on_hold(
    tx: Transaction, force_id: str, request_id: UUID, on_hold: bool, actor: str, reason: str, now: datetime
) -> None:
    """Nothing of a request is erased, or may be again; who said so and why is kept.

    :raises RequestNotFound: nobody knows it.
    """
    if not await retention_rows.put_on_hold(tx, force_id, request_id, now if on_hold else None):
        raise RequestNotFound
    why = f"{'put on hold' if on_hold else 'let go from hold'}: {reason}"
    await audit.record(tx, [Entry(force_id, actor, "altered", str(request_id), why)], now)
