"""`baseline.v1`, written by intake: answers given with the request, released shuffled, eight or more at once."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.envelope import Event, Slug

TOPIC = "baseline.v1"


class BaselineAnswered(Event):
    """Answers before the walk, under a random pair id; no request, no walk, no time finer than the month."""

    name: ClassVar[str] = "baseline-answered"
    topic: ClassVar[str] = TOPIC
    precise: ClassVar[bool] = False

    pair_id: UUID
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    """The month she answered in, Europe/London."""
    answers: dict[Slug, Slug]
    """Question code to answer code, as the baseline survey defines them."""
    survey_version: int = 1

    @property
    def key(self) -> UUID:
        return self.pair_id


class EqualityAnswered(Event):
    """One answer to one equality question, under a random id of its own: it leads to nobody and nothing."""

    name: ClassVar[str] = "equality-answered"
    topic: ClassVar[str] = TOPIC
    precise: ClassVar[bool] = False

    answer_id: UUID
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    """The month she answered in, Europe/London."""
    question: Slug
    answer: Slug

    @property
    def key(self) -> UUID:
        return self.answer_id


class AnswersWithdrawn(Event):
    """What was held about her was erased: no answer may stand under this pair id any longer, before the walk or after.

    Leaves by itself, the night after, among those of the same day: it names no request.
    """

    name: ClassVar[str] = "answers-withdrawn"
    topic: ClassVar[str] = TOPIC
    precise: ClassVar[bool] = False
    overtakes: ClassVar[bool] = True

    pair_id: UUID

    @property
    def key(self) -> UUID:
        return self.pair_id


EVENTS: tuple[type[Event], ...] = (BaselineAnswered, EqualityAnswered, AnswersWithdrawn)
