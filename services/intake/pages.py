"""HTML in and out: the request form, her private page, and the contact card for staff."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake import domain, handlers, sitting
from services.intake.dependencies import Dependencies, dependencies
from services.intake.domain import FieldsWrong
from services.intake.handlers import Draft
from services.intake.sitting import Step
from shared.contracts.kinds import Channel
from shared.contracts.policy import ForcePolicy
from shared.geography.postcodes import normalise
from shared.web import forms
from shared.web.access import Role
from shared.web.forms import Form
from shared.web.pages import render
from shared.web.session import User, current_user
from shared.web.site import site_of

router = APIRouter()
Deps = Annotated[Dependencies, Depends(dependencies)]

CONSENT: Final = {"consent": "Select that you agree, or we cannot pass your request on"}
REASON: Final = {"reason": "Enter why you need to contact her"}


def policy_of(force: str, deps: Dependencies) -> ForcePolicy:
    """The force of a path; a page not found where there is no such force."""
    if force not in deps.policies:
        raise HTTPException(404)
    return deps.policies[force]


# Before the form


@router.get("/")
async def forces(request: Request, deps: Deps) -> Response:
    """Choose a force."""
    return render(request, "forces.html", forces=[deps.policies[force] for force in deps.policies.forces])


@router.get("/{force}/")
async def start(request: Request, force: str, deps: Deps) -> Response:
    """What a walk is, and what to do instead in an emergency."""
    return render(request, "start.html", force_id=force, policy=policy_of(force, deps))


@router.get("/{force}/request/not-eligible")
async def not_eligible(request: Request, force: str, deps: Deps) -> Response:
    """For whom the scheme is not, and who can help instead."""
    return render(request, "not_eligible.html", force_id=force, policy=policy_of(force, deps))


# The form


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
        return await handlers.read_draft(tx, force, token, deps.clock(), keeping=deps.keeping)


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
            await handlers.erase_draft(tx, draft)
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
    return show_check(request, policy, draft, Form[sitting.Consent]())


def show_check(
    request: Request, policy: ForcePolicy, draft: Draft, form: Form[sitting.Consent], status: int = 200
) -> Response:
    """The page of her answers."""
    return render(
        request,
        "check.html",
        status,
        force_id=policy.force_id,
        policy=policy,
        lines=sitting.summary(draft.content["answers"], policy),
        last=sitting.steps_for(draft.content["answers"], policy)[-1].slug,
        form=form,
    )


@router.post("/{force}/request/check")
async def send(request: Request, force: str, deps: Deps) -> Response:
    """Accept the request. Sent twice, by a double click or after a lost answer, it is one request."""
    policy = policy_of(force, deps)
    token = request.cookies.get(cookie_name(request), "")
    form = await forms.read(request, sitting.Consent, CONSENT)
    draft = await draft_of(request, force, deps)
    if draft is None:
        return gone(request, force)
    if "reference" not in draft.content:
        if (reached := sitting.first_open(draft.content["answers"], policy)) is not None:
            return RedirectResponse(at(force, reached.slug), 303)
        if form.data is None:
            return show_check(request, policy, draft, form, 422)
        try:
            await _accept(force, token, deps)
        except FieldsWrong as wrong:
            deps.keeping.metrics.request("form", "refused")
            return show_check(request, policy, draft, form.refused(*(("", one) for one in wrong.fields.values())), 422)
    return RedirectResponse(at(force, "done"), 303)


async def _accept(force: str, token: str, deps: Dependencies) -> None:
    """In one transaction: the request made, and all she typed erased but for the reference she is shown."""
    now = deps.clock()
    async with deps.database.transaction([force]) as tx:
        draft = await handlers.read_draft(tx, force, token, now, keeping=deps.keeping, hold=True)
        if draft is None or "reference" in draft.content:
            return
        command = sitting.command_of(force, draft.content["answers"], deps.postcodes)
        keyed = handlers.Keyed(command, f"form {draft.content['key']}")
        [accepted] = await handlers.request_walks(tx, [keyed], now, keeping=deps.keeping)
        await handlers.save_draft(
            tx,
            draft,
            {
                "reference": accepted.reference,
                "by_email": Channel.EMAIL in command.person.rules.channels,
                # A neutral message holds no link that would tell whose page it leads to.
                "with_link": command.person.rules.may_say_police,
            },
            keeping=deps.keeping,
        )
    deps.keeping.metrics.request("form", "repeated" if accepted.repeated else "accepted")


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
        by_email=content["by_email"],
        with_link=content["by_email"] and content["with_link"],
    )


def step_of(slug: str) -> Step:
    """The page of a path; a page not found where there is none."""
    step = sitting.BY_SLUG.get(slug)
    if step is None:
        raise HTTPException(404)
    return step


@router.get("/{force}/request/{step}")
async def ask(request: Request, force: str, step: str, deps: Deps) -> Response:
    """One question."""
    policy = policy_of(force, deps)
    asked = step_of(step)
    draft = await draft_of(request, force, deps)
    answers: sitting.Answers = {}
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
    given: dict[str, Any] = dict(answers.get(asked.slug, {}))
    return show_step(request, policy, asked, answers, Form(values=given))


def show_step(
    request: Request,
    policy: ForcePolicy,
    step: Step,
    answers: sitting.Answers,
    form: Form[BaseModel],
    status: int = 200,
) -> Response:
    """The page of one question."""
    force, change = policy.force_id, bool(request.query_params.get("change"))
    back = "check" if change else sitting.before(step, answers, policy)
    return render(
        request,
        "question.html",
        status,
        force_id=force,
        step=step,
        number=sitting.number_of(step, answers, policy),
        asked=step.asked,
        form=form,
        here=at(force, step.slug, change=change),
        back=at(force, back) if back else f"/{force}/",
        other_way=at(force, "point" if step.slug == "place" else "place", change=change),
    )


@router.post("/{force}/request/{step}")
async def answer(request: Request, force: str, step: str, deps: Deps) -> Response:
    """One answer, kept sealed on our side; then the next question."""
    policy = policy_of(force, deps)
    asked = step_of(step)
    change = bool(request.query_params.get("change"))
    draft = await draft_of(request, force, deps)
    begun = draft is not None and "reference" not in draft.content
    if not begun and asked.slug != "eligibility":
        return gone(request, force) if draft is None else RedirectResponse(at(force, "done"), 303)
    answers: sitting.Answers = draft.content["answers"] if draft is not None and begun else {}
    if not sitting.may_open(asked, answers, policy):
        reached = sitting.first_open(answers, policy)
        return RedirectResponse(at(force, reached.slug if reached else "check"), 303)
    form = await forms.read(request, asked.model, asked.messages)
    if form.data is None:
        return show_step(request, policy, asked, answers, form, 422)
    if isinstance(form.data, sitting.Eligibility) and form.data.adult == "no":
        response: Response = RedirectResponse(at(force, "not-eligible"), 303)
        if draft is not None:
            async with deps.database.transaction([force]) as tx:
                await handlers.erase_draft(tx, draft)
            forget_cookie(request, response)
        return response
    try:
        changed = sitting.keep(asked, answers, form.data, policy)
        if asked.slug in ("place", "point"):
            sitting.place_of(changed, deps.postcodes)
        if asked.slug == "place":
            changed["place"]["postcode"] = normalise(changed["place"]["postcode"])
    except FieldsWrong as wrong:
        return show_step(request, policy, asked, answers, form.refused(*wrong.fields.items()), 422)
    following = sitting.after(asked, changed, policy, from_check=change)
    response = RedirectResponse(at(force, following, change=change and following != "check"), 303)
    async with deps.database.transaction([force]) as tx:
        if draft is not None and begun:
            await handlers.save_draft(tx, draft, {**draft.content, "answers": changed}, keeping=deps.keeping)
        else:
            content = {"key": uuid4().hex, "answers": changed}
            keep_cookie(
                request,
                response,
                await handlers.begin_draft(tx, force, content, deps.clock(), keeping=deps.keeping),
            )
    return response


# Her private page


@router.get("/your-request/{token}")
async def your_request(request: Request, token: str, deps: Deps) -> Response:
    """What she can change with the link from her message. Looking changes nothing: mail scanners follow links."""
    force_id, request_id = handlers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        held, stopped = await handlers.her_request(tx, request_id, keeping=deps.keeping)
    return render(
        request,
        "your_request.html",
        force_id=force_id,
        policy=policy_of(force_id, deps),
        reference=held.reference,
        state=held.state.value,
        stopped=stopped,
        here=f"/your-request/{token}",
    )


@router.post("/your-request/{token}/withdraw")
async def withdraw(request: Request, token: str, deps: Deps) -> Response:
    """She no longer wants the walk."""
    force_id, request_id = handlers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        await handlers.withdraw(tx, force_id, request_id, deps.clock())
    return RedirectResponse(f"/your-request/{token}", 303)


@router.post("/your-request/{token}/stop")
async def stop(request: Request, token: str, deps: Deps) -> Response:
    """Contact is no longer safe."""
    force_id, request_id = handlers.open_private_link(deps.keeping, token)
    async with deps.database.transaction([force_id]) as tx:
        await handlers.stop_contact(tx, force_id, request_id, deps.clock(), keeping=deps.keeping)
    return RedirectResponse(f"/your-request/{token}", 303)


# The contact card


class Why(BaseModel):
    """Why a member of staff needs to see who she is; kept in the log."""

    reason: Annotated[str, Field(min_length=5, max_length=300)]


def asker_of(user: User) -> domain.Asker:
    """Who asks, as the domain knows staff."""
    return domain.Asker(user.sub, user.team_id, Role.COORDINATOR in user.roles, Role.OFFICER in user.roles)


@router.get("/staff/requests/{request_id}/contact")
async def contact_rules(
    request: Request, request_id: UUID, user: Annotated[User, Depends(current_user)], deps: Deps
) -> Response:
    """Her rules first, and the question why."""
    async with deps.database.transaction([user.force_id]) as tx:
        card = await handlers.show_rules(tx, asker_of(user), request_id, keeping=deps.keeping)
    return show_card(request, card, Form[Why]())


@router.post("/staff/requests/{request_id}/contact")
async def contact_card(
    request: Request, request_id: UUID, user: Annotated[User, Depends(current_user)], deps: Deps
) -> Response:
    """Who she is and how to reach her. Opening it is logged, so it takes a post."""
    form = await forms.read(request, Why, REASON)
    async with deps.database.transaction([user.force_id]) as tx:
        if form.data is None:
            card = await handlers.show_rules(tx, asker_of(user), request_id, keeping=deps.keeping)
        else:
            card = await handlers.open_contact(
                tx, asker_of(user), request_id, form.data.reason, deps.clock(), keeping=deps.keeping
            )
    return show_card(request, card, form, 422 if form.data is None else 200)


def show_card(request: Request, card: handlers.Card, form: Form[Why], status: int = 200) -> Response:
    """The contact card, closed or open."""
    return render(
        request,
        "contact_card.html",
        status,
        card=card,
        rules=sitting.rules_in_words(card.rules),
        form=form,
        here=f"/staff/requests/{card.held.id}/contact",
    )
