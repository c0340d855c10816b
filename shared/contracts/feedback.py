"""`feedback.v1`, written by feedback: who is to be asked, that somebody answered, that an answer worries us."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.envelope import Event, Instant, Slug
from shared.contracts.kinds import SurveyName, Urgency

TOPIC = "feedback.v1"


class SurveyInvited(Event):
    """The women of a walk are to be asked. Carries no token: intake makes each link, and keeps it from us."""

    name: ClassVar[str] = "survey-invited"
    topic: ClassVar[str] = TOPIC

    invitation_id: UUID
    walk_id: UUID
    survey: SurveyName
    send_from: Instant
    """Not before this moment; intake's own rules of safe contact may make it later."""

    @property
    def key(self) -> UUID:
        return self.walk_id


class FeedbackReceived(Event):
    """Somebody finished a survey. `receipt_id` is random and stands nowhere beside the answers."""

    name: ClassVar[str] = "feedback-received"
    topic: ClassVar[str] = TOPIC
    precise: ClassVar[bool] = False

    receipt_id: UUID
    survey: SurveyName
    month: str = Field(pattern=r"^\d{4}-\d{2}$")

    @property
    def key(self) -> UUID:
        return self.receipt_id


class FeedbackFlagged(Event):
    """An answer worries us. Never her words; `contact` is sealed so that only intake can open it."""

    name: ClassVar[str] = "feedback-flagged"
    topic: ClassVar[str] = TOPIC
    precise: ClassVar[bool] = False

    flag_id: UUID
    survey: SurveyName
    reasons: tuple[Slug, ...]
    urgency: Urgency
    contact: str | None = Field(default=None, max_length=1000)
    """The sealed contact reference; None when she wants no contact or nobody knows who answered."""

    @property
    def key(self) -> UUID:
        return self.flag_id


EVENTS: tuple[type[Event], ...] = (SurveyInvited, FeedbackReceived, FeedbackFlagged)
