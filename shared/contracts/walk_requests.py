"""`walk-requests.v1`, written by intake: what she asks for, and nothing that says who she is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.envelope import Event, Instant, Slug, Value
from shared.contracts.kinds import Channel, PartOfDay, Point, Reason, Urgency, Weekday

TOPIC = "walk-requests.v1"


class ContactRules(Value):
    """How she may be contacted; every contact, by message or by an officer's call, obeys these."""

    channels: tuple[Channel, ...]
    times: tuple[PartOfDay, ...] = tuple(PartOfDay)
    may_say_police: bool = False
    may_leave_voicemail: bool = False
    excluded_officers: tuple[Slug, ...] = ()
    excluded_teams: tuple[Slug, ...] = ()
    stopped: bool = False
    """She has said that contact is no longer safe: nobody may try."""


class Availability(Value):
    """When she is free; parts of the day in Europe/London."""

    days: tuple[Weekday, ...]
    parts: tuple[PartOfDay, ...]
    earliest: date | None = None


class RequestEvent(Event):
    """Every event of a request names it; a request keeps the order of its events."""

    topic: ClassVar[str] = TOPIC

    request_id: UUID

    @property
    def key(self) -> UUID:
        return self.request_id


class Wanted(RequestEvent):
    """What she asks for: where, why, when."""

    place: Point
    place_from_postcode: bool
    """True when the point is a postcode's centre, so only roughly hers."""
    route: Annotated[tuple[Point, ...], Field(max_length=8)] = ()
    """Where she would like to pass, in order and `place` first; none where it is one place."""
    lives_or_works_here: bool = False
    reasons: tuple[Reason, ...] = ()
    availability: Availability
    group_walk_welcome: bool = False
    language: str = Field(default="en", pattern=r"^[a-z]{2}$")


class WalkRequested(Wanted):
    """A woman aged 18 or over has asked to walk with an officer and show her this place."""

    name: ClassVar[str] = "walk-requested"

    contact: ContactRules


class WalkRequestAmended(Wanted):
    """She has changed where or when she wants to walk; the whole as it stands now. What was proposed lapses."""

    name: ClassVar[str] = "walk-request-amended"


class ProposalAnswered(RequestEvent):
    """She has chosen one of the proposed times, or none of them suits."""

    name: ClassVar[str] = "proposal-answered"

    walk_id: UUID
    proposal_id: UUID
    chosen: Instant | None = None
    """One of the proposed times; None where none of them suits."""


class WalkRequestWithdrawn(RequestEvent):
    """She no longer wants the walk."""

    name: ClassVar[str] = "walk-request-withdrawn"


class ContactRulesChanged(RequestEvent):
    """How she may be contacted has changed; `contact.stopped` ends every attempt."""

    name: ClassVar[str] = "contact-rules-changed"

    contact: ContactRules


class ContactWanted(RequestEvent):
    """An answer of hers worries us, or she asked: an officer is to call or visit.

    Carries neither the flag nor its reasons, and leads back to neither: her answers and her name meet only in intake.
    """

    name: ClassVar[str] = "contact-wanted"
    precise: ClassVar[bool] = False

    contact_id: UUID
    """Random; one a wanted contact."""
    urgency: Urgency


class ParticipantErased(RequestEvent):
    """What was held about her was erased. Told of each request of hers: whoever knows it keeps its id alone."""

    name: ClassVar[str] = "participant-erased"
    overtakes: ClassVar[bool] = True


EVENTS: tuple[type[Event], ...] = (
    WalkRequested,
    WalkRequestAmended,
    WalkRequestWithdrawn,
    ProposalAnswered,
    ContactRulesChanged,
    ContactWanted,
    ParticipantErased,
)
