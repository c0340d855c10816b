"""What the JSON API is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.envelope import ShortText, Slug
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.walks import MOST_TIMES

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
"""Before markup and what cannot be seen are taken out; what remains may have 4,000 characters."""


def _as_utc(given: datetime) -> datetime:
    # Years at the ends of the calendar overflow when they are moved to another zone.
    if not 2000 <= given.year <= 2200:
        raise ValueError("is not a year of this century or the next")
    return given.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_as_utc)]


class Body(BaseModel):
    """What is sent in; a field nobody knows is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TakeBody(Body):
    """A coordinator may name the officer; an officer takes the walk for themselves."""

    officer_id: Slug | None = None


class ArrangeBody(Body):
    """Time with its zone, and where they meet."""

    starts_at: Moment
    meeting_place: ShortText


class ProposeBody(Body):
    """One to five times with their zones, where they would meet, and until when she can choose."""

    times: Annotated[tuple[Moment, ...], Field(min_length=1, max_length=MOST_TIMES)]
    meeting_place: ShortText
    answer_by: Moment | None = None


class CancelBody(Body):
    """Why the walk will not take place."""

    reason: Slug


class ConcernBody(Body):
    """A concern; `words` only what the officer passed for sharing."""

    category: Reason
    place: Point
    place_name: ShortText | None = None
    time_of_day: PartOfDay | None = None
    severity: Severity = Severity.MEDIUM
    words: Words | None = None


class CompleteBody(Body):
    """A walk that was held."""

    started_at: Moment
    ended_at: Moment
    streetsafe_shown: bool = False
    concerns: Annotated[tuple[ConcernBody, ...], Field(max_length=20)] = ()


class RouteBody(Body):
    """The area a coordinator chose."""

    area_id: Slug


class CompleteFollowUpBody(Body):
    """How a follow-up ended: the first three for a contact, the last for a review."""

    outcome: Literal["reached", "not-reached", "declined", "reviewed"]
