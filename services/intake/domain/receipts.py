"""What becomes of a message once GOV.UK Notify has it: where it stands, when it is tried again, when it is given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID


class Account(StrEnum):
    """Which of a force's services at Notify sends: the one that names it, or the one that tells nothing."""

    NAMED = "named"
    NEUTRAL = "neutral"


class Receipt(StrEnum):
    """What Notify says of a message in the end, in its own words (statuses it still works on are left out)."""

    DELIVERED = "delivered"
    PERMANENT = "permanent-failure"
    TEMPORARY = "temporary-failure"
    TECHNICAL = "technical-failure"


AGAIN_AFTER: Final = (timedelta(minutes=30), timedelta(hours=6))
"""When a message that did not arrive for the moment (a telephone switched off, a mailbox full) is sent once more."""

ASKED_EVERY: Final = timedelta(hours=1)
ASKED_FOR: Final = timedelta(days=4)
"""Notify tries a telephone for three days, and forgets a message after seven."""

STILL_ON_ITS_WAY: Final = timedelta(minutes=2)
"""How long a call that was cut off may still be taken: not before is it looked up whether it was."""


def again_at(receipt: Receipt, attempt: int, now: datetime) -> datetime | None:
    """When a message with this receipt is sent once more; None where it is not."""
    if receipt in (Receipt.TEMPORARY, Receipt.TECHNICAL) and attempt <= len(AGAIN_AFTER):
        return now + AGAIN_AFTER[attempt - 1]
    return None


def reference_of(message_id: UUID, attempt: int) -> str:
    """Under what Notify knows this attempt at a message."""
    return f"{message_id}.{attempt}"


def message_of(reference: str) -> tuple[UUID, int] | None:
    """(message, attempt) of a reference; None where it is none of ours."""
    id_, _, attempt = reference.partition(".")
    try:
        return UUID(id_), int(attempt)
    except ValueError:
        return None


def asking_id(message_id: UUID) -> UUID:
    """The id of the sending that asks what became of a message: the message's own but for its last, random, bit."""
    return UUID(int=message_id.int ^ 1)


def asked_about(asking: UUID) -> UUID:
    """The message such a sending is about."""
    return UUID(int=asking.int ^ 1)
