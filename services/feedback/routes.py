"""The JSON API of feedback: answers in, the evaluation out."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from services.feedback import domain, handlers
from services.feedback.dependencies import Dependencies, dependencies
from services.feedback.evaluation import Evaluation
from shared.contracts.refusals import Refusal
from shared.survey_link import SurveyLinkExpired, SurveyLinkInvalid
from shared.web.session import User, current_user

router = APIRouter(prefix="/api/v1")

Deps = Annotated[Dependencies, Depends(dependencies)]

REFUSALS: dict[type[Refusal], int] = {
    SurveyLinkInvalid: 404,
    SurveyLinkExpired: 410,
    domain.NoSuchQuestion: 404,
    domain.AnswersInvalid: 422,
    domain.NothingAnswered: 422,
}


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
    ticket = deps.open_link(body.token, now)
    async with deps.database.transaction([ticket.force_id]) as tx:
        finish = handlers.Finish(ticket, body.answers)
        (receipt_id,) = await handlers.finish(tx, [finish], now, link_key=deps.link_key)
    if receipt_id is None:
        response.status_code = 200
    return Receipt(receipt_id=receipt_id)


@router.get("/evaluation")
async def evaluation(user: Annotated[User, Depends(current_user)], deps: Deps) -> Evaluation:
    """What has changed in the force: counts under 8 are not shown, others are rounded to 5."""
    async with deps.database.transaction([user.force_id]) as tx:
        return await handlers.evaluation(tx, user.force_id)
