"""`partner.<partner>.v1`, written by partners: a partner's own view, all it may know.

Identifiers are minted for the partner (version 4), times are days, and nothing leads back to a participant, request
or walk; no correlation, causation or trace travels with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Event, LongText, ShortText, Slug
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity


def partner_topic(partner_id: str) -> str:
    """The one topic a partner's credentials may read."""
    return f"partner.{partner_id}.v1"


class PartnerEvent(Event):
    """Every event of a partner's view carries the reference minted for that partner."""

    topic: ClassVar[str] = "partner.{partner}.v1"
    precise: ClassVar[bool] = False

    partner_id: Slug
    reference: UUID

    @property
    def key(self) -> UUID:
        return self.reference

    @property
    def bus_topic(self) -> str:
        return partner_topic(self.partner_id)


class PartnerConcernReferred(PartnerEvent):
    """A concern was referred to this partner under its agreement."""

    name: ClassVar[str] = "partner-concern-referred"
    without_words: ClassVar[Mapping[str, str | None]] = MappingProxyType({"words": None, "place_name": None})

    category: Reason
    place: Point
    place_name: ShortText | None = None
    area_name: ShortText
    time_of_day: PartOfDay | None = None
    severity: Severity
    words: LongText | None = None
    raised_on: date
    respond_by: date


class PartnerReferralStatus(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"
    UPDATED = "updated"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    REDACTED = "redacted"
    """The words and the name of the place were erased: a copy of them has to go too. What is to be done stands."""


class PartnerReferralChanged(PartnerEvent):
    """The state of a referral, so that a partner's own system can follow what its people did by hand."""

    name: ClassVar[str] = "partner-referral-changed"

    status: PartnerReferralStatus
    changed_on: date


EVENTS: tuple[type[Event], ...] = (PartnerConcernReferred, PartnerReferralChanged)
