"""What partners said of a concern."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from shared.contracts.referrals import (
    ConcernResolved,
    ReferralAccepted,
    ReferralDeclined,
    ReferralEvent,
    ReferralMade,
    ReferralUpdated,
)


class ReferralState(StrEnum):
    """What a partner last said."""

    MADE = "made"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    INVESTIGATING = "investigating"
    PLANNED = "planned"
    PARTLY_DONE = "partly-done"
    MONITORING = "monitoring"
    DONE = "done"
    NOTHING_MORE = "nothing-more"


@dataclass(frozen=True, slots=True)
class Referral:
    """What one partner was asked about a concern, and last said of it."""

    force_id: str
    id: UUID
    concern_id: UUID
    partner_id: str
    partner_name: str
    state: ReferralState
    told_at: datetime
    words: str | None = None
    respond_by: date | None = None
    planned_for: date | None = None


def referral_told(event: ReferralEvent, force_id: str, at: datetime) -> Referral:
    """What the team sees of a partner's word."""
    words: str | None = None
    respond_by: date | None = None
    planned_for: date | None = None
    match event:
        case ReferralMade():
            state, respond_by = ReferralState.MADE, event.respond_by
        case ReferralAccepted():
            state = ReferralState.ACCEPTED
        case ReferralDeclined():
            state, words = ReferralState.DECLINED, event.reason
        case ReferralUpdated():
            state, words, planned_for = ReferralState(event.progress.value), event.words, event.planned_for
        case ConcernResolved():
            state, words = ReferralState(event.resolution.value), event.words
        case _:
            raise TypeError(f"{event.name} says nothing of a referral")
    return Referral(
        force_id=force_id,
        id=event.referral_id,
        concern_id=event.concern_id,
        partner_id=event.partner_id,
        partner_name=event.partner_name,
        state=state,
        told_at=at,
        words=words,
        respond_by=respond_by,
        planned_for=planned_for,
    )
