"""How staff read what a woman was told, or was not, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.intake.domain.messages import MessageKind, Told
from services.intake.domain.receipts import Receipt
from shared.contracts.kinds import Channel
from shared.web.pages import when

KINDS: Final = {
    MessageKind.CONFIRM: "Asked to confirm her request",
    MessageKind.CONFIRMATION: "We have her request",
    MessageKind.PROPOSED: "Times to choose from",
    MessageKind.ARRANGED: "Time and place",
    MessageKind.MOVED: "New time or place",
    MessageKind.AGAIN: "A new time is needed",
    MessageKind.CANCELLED: "The walk will not take place",
    MessageKind.REMINDER: "Reminder",
    MessageKind.SURVEY: "Survey",
    MessageKind.DONE: "What was done",
}
"""What staff call each message."""

BY: Final = {Channel.EMAIL: "by email", Channel.TEXT: "by text", Channel.LETTER: "by letter"}


@dataclass(frozen=True, slots=True)
class Line:
    """One message in words."""

    kind: str
    outcome: str
    failed: bool
    """She does not know, though it was meant to be told: somebody has to see to it."""


def told_in_words(told: list[Told]) -> list[Line]:
    """Newest first, as given."""
    return [Line(KINDS[one.kind], _outcome(one), one.state == "failed") for one in told]


def _outcome(one: Told) -> str:
    by = f" {BY[one.channel]}" if one.channel in BY else ""
    if one.state == "failed":
        return f"Failed{by}: {one.fault or 'given up'}"
    if one.refused is not None:
        return f"Not sent: {one.refused}"
    if one.state == "sent" and one.ended_at is not None:
        if one.receipt is Receipt.DELIVERED:
            return f"Delivered{by}, sent on {when(one.ended_at)}"
        return f"{'Posted' if one.channel is Channel.LETTER else f'Sent{by}'} on {when(one.ended_at)}"
    if one.state == "due" and one.due_at is not None:
        if one.perhaps:
            return f"Perhaps sent{by}: being looked up"
        return "To be posted" if one.channel is Channel.LETTER else f"To be sent{by} from {when(one.due_at)}"
    return "Taken back"
