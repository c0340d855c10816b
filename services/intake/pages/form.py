"""The request form, one question a page, from the first to her reference."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.dependencies import Dependencies, Deps, policy_of
from services.intake.domain.limits import Act
from services.intake.domain.refusals import FieldsWrong, KeyUsedForAnother
from services.intake.form import sitting
from services.intake.form.answers import command_of, place_given, place_of, refuse_answer, team_postcodes
from services.intake.form.aside import PLACES, aside, set_aside, settled
from services.intake.form.doubt import BEGUN, DOUBTED, doubt
from services.intake.form.fields import Consent, Eligibility
from services.intake.form.of_her import spoken_to, worded
from services.intake.form.questions import BY_SLUG
from services.intake.form.step import Answers, Step, helped
from services.intake.form.summary import summary
from services.intake.handlers import drafts
from services.intake.handlers.drafts import Draft
from services.intake.handlers.requests import Keyed, request_walks
from services.intake.pages.start import came_by
from services.intake.requesting import known_campaign
from shared.contracts.kinds import Channel
from shared.contracts.policy import ForcePolicy
from shared.contracts.refusals import TooMany
from shared.database import Transaction
from shared.geography.postcodes import normalise
from shared.web import forms, pages
from shared.web.forms import Form
from shared.web.languages import said, spoken
from shared.web.pages import render
from shared.web.site import site_of
from shared.working_days import day, due

router = APIRouter()

CONSENT: Final = {"consent": "Select that you agree, or we cannot pass your request on"}
ALREADY_SENT: Final = (
    "You have already sent us a request with this form. To change it, use the link in our email or call 101. "
    "To ask for another walk, erase these answers and start again."
)

ONCE_MORE: Final = "Check your answers, then press “Send request” once more"
TOO_OFTEN: Final = (
    "Too many requests came from where you are. Your answers are kept for three hours: send them again within the hour,"
    " or call 101. In an emergency call 999."
)


def cookie_name(request: Request) -> str:
    """The cookie that finds the form again; browsers keep `__Host-` cookies to one host and to https."""
    return "__Host-sitting" if site_of(request).secure else "sitting"


def keep_cookie(request: Request, response: Response, token: str) -> None:
    """A cookie of this browser session alone; it holds nothing but the random token."""
    response.set_cookie(
        cookie_name(request), token, httponly=True, samesite="lax", secure=site_of(request).secure, path="/"
    )


def forget_cookie(request: Request, response: Response) -> None:
    """The form is gone."""
    response.delete_cookie(cookie_name(request), httponly=True, samesite="lax", secure=site_of(request).secure)


async def draft_of(request: Request, force: str, deps: Dependencies) -> Draft | None:
    """The form this browser is filling in; None when there is none or its time is over."""
    token = request.cookies.get(cookie_name(request))
    if not token:
        return None
    async with deps.database.transaction([force]) as tx:
        return await drafts.read_draft(tx, force, token, deps.clock(), keeping=deps.keeping)


def later(page: Response, often: TooMany | None) -> Response:
    """The page, and for a browser or program when it may be sent again where it came too often."""
    if often is not None:
        page.headers["Retry-After"] = str(often.seconds)
    return page


def at(force: str, page: str, *, change: bool = False) -> str:
    """The address of a page of the form; nothing she typed is ever in it."""
    return f"/{force}/request/{page}" + ("?change=1" if change else "")


def gone(request: Request, force: str) -> Response:
    """Where somebody goes who has no form here: to the beginning, or to the page which says that hers has expired.

    Her cookie is left to her: it may be that of a form begun with another force, and a look takes nothing away.
    """
    if cookie_name(request) not in request.cookies:
        return RedirectResponse(f"/{force}/", 303)
    return render(request, "expired.html", 410, force_id=force, force=force)


@router.post("/{force}/request/erase")
async def erase(request: Request, force: str, deps: Deps) -> Response:
    """Erase what was typed, at once."""
    policy_of(force, deps)
    draft = await draft_of(request, force, deps)
    if draft is not None:
        async with deps.database.transaction([force]) as tx:
            await drafts.erase_draft(tx, draft)
    response = RedirectResponse(f"/{force}/", 303)
    forget_cookie(request, response)
    return response


@router.get("/{force}/request/check")
async def check(request: Request, force: str, deps: Deps) -> Response:
    """All answers, each with a way to change it, and her consent."""
    policy = policy_of(force, deps)
    draft = await draft_of(request, force, deps)
    if draft is None:
        return gone(request, force)
    if "reference" in draft.content:
        return RedirectResponse(at(force, "done"), 303)
    if (reached := sitting.first_open(draft.content["answers"], policy)) is not None:
        return RedirectResponse(at(force, reached.slug), 303)
    return show_check(request, policy, draft, Form[Consent]())


def show_check(request: Request, policy: ForcePolicy, draft: Draft, form: Form[Consent], status: int = 200) -> Response:
    """The page of her answers."""
    return render(
        request,
        "check.html",
        status,
        force_id=policy.force_id,
        policy=policy,
        lines=summary(draft.content["answers"], policy, said, pages.day),
        helped=helped(draft.content["answers"]),
        last=sitting.steps_for(draft.content["answers"], policy)[-1].slug,
        form=form,
    )


@router.post("/{force}/request/check")
async def send(request: Request, force: str, deps: Deps) -> Response:
    """Accept the request. Sent twice, by a double click or after a lost answer, it is one request."""
    policy = policy_of(force, deps)
    token = request.cookies.get(cookie_name(request), "")
    form = await forms.read(request, Consent, CONSENT)
    draft = await draft_of(request, force, deps)
    if draft is None:
        return gone(request, force)
    if "reference" not in draft.content:
        if (reached := sitting.first_open(draft.content["answers"], policy)) is not None:
            return RedirectResponse(at(force, reached.slug), 303)
        if form.data is None:
            return show_check(request, policy, draft, form, 422)
        if await _doubted(force, token, form.data, deps):
            return show_check(request, policy, draft, form.refused(("", ONCE_MORE)), 422)
        try:
            await _accept(request, force, token, deps)
        except TooMany as often:
            return later(show_check(request, policy, draft, form.refused(("", TOO_OFTEN)), 429), often)
        except KeyUsedForAnother:
            deps.keeping.metrics.request("form", "refused")
            return show_check(request, policy, draft, form.refused(("", ALREADY_SENT)), 409)
        except FieldsWrong as wrong:
            deps.keeping.metrics.request("form", "refused")
            return show_check(request, policy, draft, form.refused(*(("", one) for one in wrong.fields.values())), 422)
    return RedirectResponse(at(force, "done"), 303)


async def _doubted(force: str, token: str, given: Consent, deps: Dependencies) -> bool:
    """Whether she is to press once more; kept in her sitting, so that it is asked once."""
    now, least = deps.clock(), deps.settings.form_least_seconds
    async with deps.database.transaction([force]) as tx:
        draft = await drafts.read_draft(tx, force, token, now, keeping=deps.keeping, hold=True)
        if draft is None or (sign := doubt(draft.content, given.subject, now, least)) is None:
            return False
        await drafts.save_draft(tx, draft, {**draft.content, DOUBTED: sign}, keeping=deps.keeping)
    deps.keeping.metrics.doubted(sign)
    return True


async def _accept(request: Request, force: str, token: str, deps: Dependencies) -> None:
    """In one transaction: the request made, and all she typed erased but for the reference she is shown."""
    now, within = deps.clock(), deps.policies[force].walks.arrange_within
    async with deps.database.transaction([force]) as tx:
        draft = await drafts.read_draft(tx, force, token, now, keeping=deps.keeping, hold=True)
        if draft is None or "reference" in draft.content:
            return
        command = command_of(
            force,
            draft.content["answers"],
            deps.postcodes,
            draft.content.get("campaign"),
            spoken(),
            await deps.teams_at(force, team_postcodes(draft.content["answers"])),
        )
        count = deps.keeping.counting.count(force, Act.REQUEST, deps.callers.counted(request), now)
        keyed = Keyed(command, f"form {draft.content['key']}", count=count)
        [accepted] = await request_walks(tx, [keyed], now, keeping=deps.keeping)
        await drafts.save_draft(
            tx,
            draft,
            {
                "reference": accepted.reference,
                "unconfirmed": accepted.unconfirmed,
                "by_email": Channel.EMAIL in command.person.rules.channels,
                # A neutral message holds no link that would tell whose page it leads to.
                "helped": helped(draft.content["answers"]),
                "with_link": command.person.rules.may_say_police,
                "arrange_by": due(now, within).isoformat() if within else None,
            },
            keeping=deps.keeping,
        )
    deps.keeping.metrics.request("form", "repeated" if accepted.repeated else "accepted")
    if DOUBTED in draft.content:
        deps.keeping.metrics.doubted("confirmed")


@router.get("/{force}/request/done")
async def done(request: Request, force: str, deps: Deps) -> Response:
    """Her reference, and exactly what happens next."""
    policy = policy_of(force, deps)
    draft = await draft_of(request, force, deps)
    if draft is None:
        return gone(request, force)
    if "reference" not in draft.content:
        return RedirectResponse(at(force, "check"), 303)
    content = draft.content
    return render(
        request,
        "done.html",
        force_id=force,
        policy=policy,
        reference=content["reference"],
        unconfirmed=content.get("unconfirmed", False),
        by_email=content["by_email"],
        helped=content.get("helped", False),
        says_police=content["with_link"],
        with_link=content["by_email"] and content["with_link"],
        arrange_by=datetime.fromisoformat(until) if (until := content.get("arrange_by")) else None,
    )


def step_of(slug: str) -> Step:
    """The page of a path; a page not found where there is none."""
    step = BY_SLUG.get(slug)
    if step is None:
        raise HTTPException(404)
    return step


@router.get("/{force}/request/{step}")
async def ask(request: Request, force: str, step: str, deps: Deps) -> Response:
    """One question."""
    policy = policy_of(force, deps)
    asked = step_of(step)
    draft = await draft_of(request, force, deps)
    answers: Answers = {}
    if draft is not None:
        if "reference" in draft.content:
            if asked.slug != "eligibility":
                return RedirectResponse(at(force, "done"), 303)
        else:
            answers = draft.content["answers"]
    elif asked.slug != "eligibility":
        return gone(request, force)
    if not sitting.may_open(asked, answers, policy):
        reached = sitting.first_open(answers, policy)
        return RedirectResponse(at(force, reached.slug if reached else "check"), 303)
    given: dict[str, Any] = {
        **answers.get(asked.slug, {}),
        **(aside(draft.content).get(asked.slug, {}) if draft else {}),
    }
    return show_step(request, policy, asked, answers, Form(values=given))


def show_step(
    request: Request,
    policy: ForcePolicy,
    step: Step,
    answers: Answers,
    form: Form[BaseModel],
    status: int = 200,
) -> Response:
    """The page of one question."""
    force, change = policy.force_id, bool(request.query_params.get("change"))
    say, shown = spoken_to(answers), worded(step, answers)
    if form.errors:
        form = replace(form, errors=tuple((field, say(message)) for field, message in form.errors))
    # While a question is open the page of all answers would only lead back here.
    checking = change and sitting.first_open(answers, policy) is None
    back = "check" if checking else sitting.before(step, answers, policy)
    return render(
        request,
        "question.html",
        status,
        force_id=force,
        policy=policy,
        start=place_given(answers),
        step=shown,
        number=sitting.number_of(step, answers, policy),
        asked=shown.asked,
        form=form,
        here=at(force, step.slug, change=change) + ("" if change else came_by(request, policy)),
        back=at(force, back) if back else f"/{force}/",
        other_way=at(force, "point" if step.slug == "place" else "place", change=change),
    )


@router.post("/{force}/request/{step}")
async def answer(request: Request, force: str, step: str, deps: Deps) -> Response:
    """One answer, kept sealed on our side; then the next question.

    Her form is held still from the look at it to the writing: of two tabs neither loses an answer, and what was sent
    meanwhile stays erased.
    """
    policy = policy_of(force, deps)
    asked = step_of(step)
    form = await forms.read(request, asked.model, asked.messages)
    token = request.cookies.get(cookie_name(request), "")
    async with deps.database.transaction([force]) as tx:
        found = await drafts.read_draft(tx, force, token, deps.clock(), keeping=deps.keeping, hold=True)
        finished = found is not None and "reference" in found.content
        if isinstance(form.data, Eligibility) and form.data.adult == "no":
            return await _turn_away(tx, request, force, None if finished else found)
        if asked.slug != "eligibility" and (found is None or finished):
            return gone(request, force) if found is None else RedirectResponse(at(force, "done"), 303)
        draft = None if finished else found
        answers: Answers = draft.content["answers"] if draft else {}
        return await _keep(tx, request, policy, asked, form, draft, answers, deps)


async def _turn_away(tx: Transaction, request: Request, force: str, draft: Draft | None) -> Response:
    """She is told who can help instead, and an unfinished form is gone; the page of a request she sent stays hers."""
    response = RedirectResponse(at(force, "not-eligible"), 303)
    if draft is not None:
        await drafts.erase_draft(tx, draft)
        forget_cookie(request, response)
    return response


async def _keep(
    tx: Transaction,
    request: Request,
    policy: ForcePolicy,
    asked: Step,
    form: Form[BaseModel],
    draft: Draft | None,
    answers: Answers,
    deps: Dependencies,
) -> Response:
    """Write the answer into her form, or begin one with it."""
    force, change = policy.force_id, bool(request.query_params.get("change"))
    if not sitting.may_open(asked, answers, policy):
        reached = sitting.first_open(answers, policy)
        return RedirectResponse(at(force, reached.slug if reached else "check"), 303)
    if form.data is None:
        return show_step(request, policy, asked, answers, form, 422)
    caller, now = deps.callers.counted(request), deps.clock()
    try:
        if asked.slug in ("place", "way", "others"):
            await deps.keeping.counting.take(tx, force, Act.POSTCODE, caller, now)
        changed = sitting.keep(asked, answers, form.data, policy)
        refuse_answer(asked.slug, changed, deps.postcodes, day(deps.clock()))
        if asked.slug == "others":
            await deps.teams_at(force, team_postcodes(changed))
        if asked.slug == "place":
            changed["place"]["postcode"] = normalise(changed["place"]["postcode"])
    except FieldsWrong as wrong:
        return show_step(request, policy, asked, answers, form.refused(*wrong.fields.items()), 422)
    except TooMany as often:
        wrong_field = (asked.asked.name, TOO_OFTEN)
        return later(show_step(request, policy, asked, answers, form.refused(wrong_field), 429), often)
    if asked.slug in PLACES and draft is not None:
        if deps.force_ground.force_of(place_of(changed, deps.postcodes), force) != force:
            content = set_aside(draft.content, asked.slug, changed[asked.slug])
            await drafts.save_draft(tx, draft, content, keeping=deps.keeping)
            return RedirectResponse(at(force, "elsewhere", change=change), 303)
        draft = replace(draft, content=settled(draft.content, answers))
    following = sitting.after(asked, changed, policy, from_check=change)
    response = RedirectResponse(at(force, following, change=change and following != "check"), 303)
    if draft is not None:
        await drafts.save_draft(tx, draft, {**draft.content, "answers": changed}, keeping=deps.keeping)
    else:
        await deps.keeping.counting.take(tx, force, Act.FORM, caller, now)
        campaign = known_campaign(policy, request.query_params.get("from"))
        content = {"key": uuid4().hex, "answers": changed, BEGUN: now.isoformat()}
        content |= {"campaign": campaign} if campaign else {}
        token = await drafts.begin_draft(tx, force, content, now, keeping=deps.keeping)
        keep_cookie(request, response, token)
    return response
