"""`referrals.v1`, written by partners: who was asked to act on a concern, and what they did.

Keyed by the concern, so that all that happens to one concern keeps its order.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Event, LongText, ShortText, Slug

TOPIC = "referrals.v1"


class Progress(StrEnum):
    """What a partner says of its work. Closed is not fixed: only `done` says that something was done."""

    INVESTIGATING = "investigating"
    PLANNED = "planned"
    PARTLY_DONE = "partly-done"
    MONITORING = "monitoring"


class Resolution(StrEnum):
    """How a concern ended: acted on, or nothing more will be done and the reason was given."""

    DONE = "done"
    NOTHING_MORE = "nothing-more"


class ReferralEvent(Event):
    """Every event of a referral names the concern, the referral and the partner."""

    topic: ClassVar[str] = TOPIC

    concern_id: UUID
    referral_id: UUID
    partner_id: Slug
    partner_name: ShortText

    @property
    def key(self) -> UUID:
        return self.concern_id


class ReferralMade(ReferralEvent):
    """A partner was asked to act."""

    name: ClassVar[str] = "referral-made"

    respond_by: date


class ReferralAccepted(ReferralEvent):
    """The partner will act."""

    name: ClassVar[str] = "referral-accepted"


class ReferralDeclined(ReferralEvent):
    """The partner will not act, and said why."""

    name: ClassVar[str] = "referral-declined"

    reason: LongText


class ReferralUpdated(ReferralEvent):
    """The partner told how its work goes."""

    name: ClassVar[str] = "referral-updated"

    progress: Progress
    words: LongText | None = None
    planned_for: date | None = None


class ConcernResolved(ReferralEvent):
    """What could be done about the concern was done, and she can be told."""

    name: ClassVar[str] = "concern-resolved"

    resolution: Resolution
    words: LongText | None = None
    """What was done, in words fit for her to read."""


EVENTS: tuple[type[Event], ...] = (
    ReferralMade,
    ReferralAccepted,
    ReferralDeclined,
    ReferralUpdated,
    ConcernResolved,
)
