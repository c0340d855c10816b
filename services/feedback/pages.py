"""The survey, one question a page, and the evaluation as pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.feedback import domain, handlers
from services.feedback.evaluation import BETTER, SAME, WORSE, Change
from services.feedback.handlers import Progress
from services.feedback.routes import Deps
from shared.contracts.surveys import AGREEMENT_SCALE, Question
from shared.survey_link import Ticket
from shared.web.access import EVALUATION
from shared.web.forms import Form
from shared.web.pages import Link, render
from shared.web.session import User, current_user

router = APIRouter()

TEMPLATES = Path(__file__).with_name("templates")
NAVIGATION = (Link("What has changed", "/", EVALUATION),)

SHORT = {
    "safe-after-dark": "Safe after dark",
    "safe-by-day": "Safe during the day",
    "trust-listen": "Police listen to local people",
    "trust-matters": "Police deal with what matters",
    "trust-fair": "Police treat everyone fairly",
    "trust-there": "Police are there when needed",
    "good-job": "Police do a good job",
}
"""Questions in the few words a chart has room for; the tables have them in full."""

COLOURS = {BETTER: "#1b6e3c", SAME: "#5b6470", WORSE: "#9a3412"}
"""White figures stand on these: at least 4.5 to 1."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar, in per cent of its length; `code` says which of the changes it is."""

    code: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One question of the chart; without segments where nothing may be shown."""

    label: str
    segments: tuple[Segment, ...]


def bars(changes: Sequence[Change]) -> tuple[Bar, ...]:
    """The chart of better, same and worse; what is not shown leaves its part of the bar blank."""
    return tuple(Bar(SHORT.get(change.code, change.code), tuple(_segments(change))) for change in changes)


def _segments(change: Change) -> Iterator[Segment]:
    start = 0
    for line in change.change.lines:
        length = min(line.percent or 0, 100 - start)
        if length:
            yield Segment(line.code, start, length)
            start += length


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit by a link: its ticket and how far it has come."""

    token: str
    ticket: Ticket
    progress: Progress

    @property
    def url(self) -> str:
        return f"/s/{self.token}"

    def page(self, number: int) -> str:
        """The address of a question, or of the check of all answers after the last."""
        many = len(self.progress.survey.questions)
        return f"{self.url}/check" if number > many else f"{self.url}/question/{number}"


async def visit(token: str, deps: Deps) -> Visit:
    """Open the link of a survey page; raises the refusals of open_link."""
    ticket = deps.open_link(token, deps.clock())
    async with deps.database.transaction([ticket.force_id]) as tx:
        return Visit(token, ticket, await handlers.progress(tx, ticket, link_key=deps.link_key))


Visiting = Annotated[Visit, Depends(visit)]


@router.get("/S/{token}")
async def upper_case(token: str) -> Response:
    """Printed links may be in capitals, where the path is concerned."""
    return RedirectResponse(f"/s/{token}", 307)


@router.get("/s/{token}")
async def start(request: Request, here: Visiting, deps: Deps) -> Response:
    """What the survey is, or that it is finished."""
    policy = deps.policies[here.ticket.force_id]
    if here.progress.finished:
        return render(
            request, "survey_done.html", force_id=here.ticket.force_id, help_lines=policy.wording.who_else_helps
        )
    answers = here.progress.answers
    ticked = answers.get(domain.CONTACT) == domain.DO_NOT_CONTACT
    return render(
        request,
        "survey_start.html",
        force_id=here.ticket.force_id,
        form=Form[BaseModel](values={"no_contact": "yes"} if ticked else {}),
        here=here,
        scheme=policy.wording.scheme_name,
        answered=len(answers.keys() - {domain.CONTACT}),
        many=len(here.progress.survey.questions),
    )


@router.post("/s/{token}")
async def begin(request: Request, here: Visiting, deps: Deps) -> Response:
    """Keep whether she wants no contact whatever she answers, and go to the first question still open."""
    if here.progress.finished:
        return RedirectResponse(here.url, 303)
    posted = await request.form()
    answers = dict(here.progress.answers)
    wanted = domain.DO_NOT_CONTACT if posted.get("no_contact") == "yes" else None
    if wanted or answers.get(domain.CONTACT) == domain.DO_NOT_CONTACT:
        await _keep(deps, here, domain.CONTACT, wanted)
    answers.pop(domain.CONTACT, None)
    return RedirectResponse(here.page(domain.first_unanswered(here.progress.survey, answers)), 303)


@router.get("/s/{token}/question/{number}")
async def question(request: Request, number: int, here: Visiting) -> Response:
    """One question, with what was answered before."""
    if here.progress.finished:
        return RedirectResponse(here.url, 303)
    asked = domain.question_of(here.progress.survey, number)
    given = here.progress.answers.get(asked.code)
    return _question(request, here, number, Form[BaseModel](values={"answer": given} if given else {}))


@router.post("/s/{token}/question/{number}")
async def answer(request: Request, number: int, here: Visiting, deps: Deps) -> Response:
    """Keep one answer and go on. A question without an answer is left out."""
    if here.progress.finished:
        return RedirectResponse(here.url, 303)
    asked = domain.question_of(here.progress.survey, number)
    posted = (await request.form()).get("answer")
    chosen = posted if isinstance(posted, str) and posted else None
    try:
        await _keep(deps, here, asked.code, chosen)
    except domain.AnswersInvalid as refusal:
        return _question(request, here, number, Form[BaseModel]().refused(("answer", refusal.fields[asked.code])), 422)
    return RedirectResponse(here.page(number + 1), 303)


@router.get("/s/{token}/check")
async def check(request: Request, here: Visiting) -> Response:
    """All answers, before they are sent."""
    if here.progress.finished:
        return RedirectResponse(here.url, 303)
    return _check(request, here, Form[BaseModel]())


@router.post("/s/{token}/check")
async def send(request: Request, here: Visiting, deps: Deps) -> Response:
    """Send the answers. Sending them twice is harmless."""
    if here.progress.finished:
        return RedirectResponse(here.url, 303)
    finish = handlers.Finish(here.ticket, here.progress.answers)
    try:
        async with deps.database.transaction([here.ticket.force_id]) as tx:
            await handlers.finish(tx, [finish], deps.clock(), link_key=deps.link_key)
    except domain.NothingAnswered as refusal:
        return _check(request, here, Form[BaseModel]().refused(("", refusal.message)), 422)
    return RedirectResponse(here.url, 303)


async def _keep(deps: Deps, here: Visit, code: str, chosen: str | None) -> None:
    now = deps.clock()
    async with deps.database.transaction([here.ticket.force_id]) as tx:
        await handlers.keep_answer(tx, here.ticket, code, chosen, now, link_key=deps.link_key)


def _question(request: Request, here: Visit, number: int, form: Form[BaseModel], status: int = 200) -> Response:
    survey = here.progress.survey
    return render(
        request,
        "survey_question.html",
        status,
        force_id=here.ticket.force_id,
        form=form,
        question=domain.question_of(survey, number),
        number=number,
        many=len(survey.questions),
        action=here.page(number),
        previous=here.page(number - 1) if number > 1 else here.url,
        hint=hint(domain.question_of(survey, number)),
    )


def hint(asked: Question) -> str:
    """What stands below a question; "" where it says enough itself."""
    if asked.code == domain.CONTACT:
        return (
            "If you choose “No”, an officer may still contact you where an answer worries us. "
            "If you choose “Do not contact me”, nobody will."
        )
    return "How far do you agree with this?" if asked.choices == AGREEMENT_SCALE else ""


def _check(request: Request, here: Visit, form: Form[BaseModel], status: int = 200) -> Response:
    survey = here.progress.survey
    rows = [
        {
            "text": asked.text,
            "answer": next((c.label for c in asked.choices if c.code == here.progress.answers.get(asked.code)), None),
            "href": here.page(number),
        }
        for number, asked in enumerate(survey.questions, 1)
    ]
    return render(
        request,
        "survey_check.html",
        status,
        force_id=here.ticket.force_id,
        form=form,
        rows=rows,
        action=f"{here.url}/check",
        previous=here.page(len(survey.questions)),
    )


@router.get("/")
async def evaluation(request: Request, user: Annotated[User, Depends(current_user)], deps: Deps) -> Response:
    """What has changed."""
    async with deps.database.transaction([user.force_id]) as tx:
        found = await handlers.evaluation(tx, user.force_id)
    return render(request, "evaluation.html", evaluation=found, bars=bars(found.questions), colours=COLOURS)
