"""`concerns.v1`, written by assignment: concerns raised on walks, with the words an officer passed for sharing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Event, LongText, ShortText, Slug
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity

TOPIC = "concerns.v1"


class ConcernRaised(Event):
    """Something on the walk made her feel unsafe and somebody ought to act on it. Names no walk and no request."""

    name: ClassVar[str] = "concern-raised"
    topic: ClassVar[str] = TOPIC
    without_words: ClassVar[Mapping[str, str | None]] = MappingProxyType({"words": None, "place_name": None})

    concern_id: UUID
    area_id: Slug
    team_id: Slug
    category: Reason
    place: Point
    place_name: ShortText | None = None
    time_of_day: PartOfDay | None = None
    severity: Severity = Severity.MEDIUM
    words: LongText | None = None
    """Only what the officer has seen as a partner would and passed for sharing."""
    raised_on: date
    """The day of the walk, Europe/London."""

    @property
    def key(self) -> UUID:
        return self.concern_id


class ConcernWithdrawn(Event):
    """The team has taken the concern back; nobody need act on it."""

    name: ClassVar[str] = "concern-withdrawn"
    topic: ClassVar[str] = TOPIC

    concern_id: UUID

    @property
    def key(self) -> UUID:
        return self.concern_id


class ConcernReopened(Event):
    """A partner called the concern resolved; the team has looked, and it is not."""

    name: ClassVar[str] = "concern-reopened"
    topic: ClassVar[str] = TOPIC

    concern_id: UUID

    @property
    def key(self) -> UUID:
        return self.concern_id


class ConcernRedacted(Event):
    """The words of a concern were erased: whoever keeps them forgets them. The concern itself stands."""

    name: ClassVar[str] = "concern-redacted"
    topic: ClassVar[str] = TOPIC
    overtakes: ClassVar[bool] = True

    concern_id: UUID

    @property
    def key(self) -> UUID:
        return self.concern_id


EVENTS: tuple[type[Event], ...] = (ConcernRaised, ConcernWithdrawn, ConcernReopened, ConcernRedacted)
