"""The JSON API of feedback: answers in, the evaluation out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from services.feedback import domain, handlers
from services.feedback.evaluation import Evaluation
from services.feedback.metrics import FeedbackMetrics
from services.feedback.settings import Settings
from shared.contracts.policy import ForcePolicy
from shared.contracts.refusals import Refusal
from shared.runtime import Dependencies
from shared.survey_link import SurveyLinkExpired, SurveyLinkInvalid, Ticket
from shared.web.session import User, current_user

router = APIRouter(prefix="/api/v1")

REFUSALS: dict[type[Refusal], int] = {
    SurveyLinkInvalid: 404,
    SurveyLinkExpired: 410,
    domain.NoSuchQuestion: 404,
    domain.AnswersInvalid: 422,
    domain.NothingAnswered: 422,
}


@dataclass
class FeedbackDependencies(Dependencies[Settings]):
    """What feedback's routes, handlers and timers are given."""

    metrics: FeedbackMetrics = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.metrics = FeedbackMetrics(self.registry)


def dependencies(request: Request) -> FeedbackDependencies:
    """What the composition root put beside the application."""
    return cast(FeedbackDependencies, request.app.state.dependencies)


Deps = Annotated[FeedbackDependencies, Depends(dependencies)]


def open_link(token: str, key: bytes, policies: Mapping[str, ForcePolicy], now: datetime) -> Ticket:
    """The ticket of a link.

    :raises SurveyLinkInvalid: it was not made here, or is of a force not served here.
    :raises SurveyLinkExpired: its time has passed.
    """
    ticket = Ticket.read(token, key, now)
    if ticket.force_id not in policies:
        raise SurveyLinkInvalid
    return ticket


class AnswersBody(BaseModel):
    """All answers of one link: question code to answer code."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(min_length=1, max_length=4000)]
    answers: Annotated[dict[str, str], Field(max_length=100)]


class Receipt(BaseModel):
    """What is told of answers taken: a random receipt, or none where this link had been used before."""

    receipt_id: UUID | None


@router.post("/answers", status_code=201)
async def send_answers(body: AnswersBody, response: Response, deps: Deps) -> Receipt:
    """Send in all answers of a link, once; sending them again is harmless, changes nothing and answers 200."""
    now = deps.clock()
    key = deps.settings.link_key_bytes
    ticket = open_link(body.token, key, deps.policies, now)
    async with deps.database.transaction([ticket.force_id]) as tx:
        (receipt_id,) = await handlers.finish(tx, [handlers.Finish(ticket, body.answers)], now, link_key=key)
    if receipt_id is None:
        response.status_code = 200
    return Receipt(receipt_id=receipt_id)


@router.get("/evaluation")
async def evaluation(user: Annotated[User, Depends(current_user)], deps: Deps) -> Evaluation:
    """What has changed in the force: counts under 8 are not shown, others are rounded to 5."""
    async with deps.database.transaction([user.force_id]) as tx:
        return await handlers.evaluation(tx, user.force_id)
