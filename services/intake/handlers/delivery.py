"""What became of messages that have left: taken or perhaps taken by GOV.UK Notify, arrived, tried again, given up.

    begin_asking       before Notify is asked: from here on the message is perhaps sent
    taken, not_taken   it has answered
    ask_again          it was cut off, was looked up, and Notify knows nothing of it
    to_ask             nobody told what became of it: Notify is asked
    receive            what became of it, told by Notify or asked for

Nothing that is perhaps sent is ever sent again blindly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.receipts import (
    ASKED_EVERY,
    ASKED_FOR,
    STILL_ON_ITS_WAY,
    Account,
    Receipt,
    again_at,
    asked_about,
    asking_id,
    message_of,
    reference_of,
)
from services.intake.handlers.keeping import Keeping
from services.intake.store import messages as message_rows
from shared import sendings
from shared.database import Transaction

RECEIPTS = "receipt"
"""The channel that asks Notify what became of messages."""


@dataclass(frozen=True, slots=True)
class Asking:
    """An attempt that Notify is asked to send; `before`: the account that was asked before and has not answered."""

    reference: str
    before: Account | None


async def begin_asking(tx: Transaction, force_id: str, id_: UUID, account: Account, now: datetime) -> Asking:
    """Write down that Notify is about to be asked, so that nothing that is perhaps sent is ever sent blindly again.

    :raises NotYet: it was asked a moment ago, and may still be taking the message.
    :raises NoLonger: there is no such message, or she was erased.
    """
    fate = await message_rows.hold(tx, force_id, id_)
    if fate is None:
        raise sendings.NoLonger("there is no such message")
    reference = reference_of(id_, fate.attempt)
    if fate.asked_at is None:
        await message_rows.ask(tx, force_id, id_, now, account)
        return Asking(reference, None)
    if now < fate.asked_at + STILL_ON_ITS_WAY:
        raise sendings.NotYet(fate.asked_at + STILL_ON_ITS_WAY)
    return Asking(reference, fate.account)


async def ask_again(tx: Transaction, force_id: str, id_: UUID, account: Account, now: datetime) -> None:
    """Notify knows nothing of the attempt that was cut off: it is asked anew."""
    await message_rows.ask(tx, force_id, id_, now, account)


async def taken(tx: Transaction, force_id: str, id_: UUID, notify_id: UUID, now: datetime) -> None:
    """Notify has the message; in an hour it is asked what became of it, unless it tells before."""
    await message_rows.keep_answer(tx, force_id, id_, notify_id)
    asking = sendings.Sending(force_id, asking_id(id_), RECEIPTS, now + ASKED_EVERY)
    await sendings.schedule(tx, [asking])


async def not_taken(tx: Transaction, force_id: str, id_: UUID) -> None:
    """Notify has certainly not taken the message."""
    await message_rows.keep_answer(tx, force_id, id_, None)


@dataclass(frozen=True, slots=True)
class ToAsk:
    """A message of which Notify is to be asked what became of it."""

    message_id: UUID
    account: Account
    notify_id: UUID


async def to_ask(tx: Transaction, force_id: str, asking: UUID, now: datetime) -> ToAsk:
    """The message a sending of the channel that asks is about.

    :raises NoLonger: what became of it is known, or it is too long ago.
    """
    id_ = asked_about(asking)
    fate = await message_rows.hold(tx, force_id, id_)
    if fate is None or fate.notify_id is None or fate.account is None or fate.receipt is not None:
        raise sendings.NoLonger("its receipt is known")
    if fate.ended_at is not None and now > fate.ended_at + ASKED_FOR:
        raise sendings.NoLonger("no receipt came")
    return ToAsk(id_, fate.account, fate.notify_id)


async def receive(
    tx: Transaction, force_id: str, reference: str, receipt: Receipt, now: datetime, *, keeping: Keeping
) -> bool:
    """Keep what became of a message, and try again what may still arrive; whether it changed anything.

    A receipt that is repeated, comes late, or is of no message of ours changes nothing.
    """
    named = message_of(reference)
    fate = None if named is None else await message_rows.hold(tx, force_id, named[0])
    if named is None or fate is None or fate.receipt is not None or fate.attempt != named[1]:
        return False
    id_ = named[0]
    await sendings.cancel(tx, force_id, [asking_id(id_)])
    at = again_at(receipt, fate.attempt, now)
    if receipt is Receipt.DELIVERED:
        await message_rows.keep_receipt(tx, force_id, id_, receipt, now)
        await sendings.done(tx, force_id, id_, now)
        keeping.metrics.message(fate.kind, "delivered")
    elif at is not None:
        await message_rows.next_attempt(tx, force_id, id_)
        await sendings.again(tx, force_id, id_, at)
    else:
        await message_rows.keep_receipt(tx, force_id, id_, receipt, now)
        await sendings.fail(tx, force_id, id_, now, receipt.value)
        keeping.metrics.message(fate.kind, "failed")
    return True
