"""The pages: a partner's referrals, one referral with what can be done about it, and triage for coordinators."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, StringConstraints, field_validator
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.partners import domain, handlers, wording
from services.partners.dependencies import Deps, State, dependencies, own_partner, states_of
from services.partners.domain import Accept, Assign, Command, Decline, Resolve, Update
from shared.contracts.referrals import Progress, Resolution
from shared.web import forms
from shared.web.access import COORDINATOR, PARTNER
from shared.web.forms import Form
from shared.web.pages import Link, render
from shared.web.session import User, current_user

router = APIRouter()

TEMPLATES: Final = Path(__file__).with_name("templates")
NAVIGATION: Final = (
    Link("Referrals", "/", PARTNER | COORDINATOR),
    Link("Choose a partner", "/triage", COORDINATOR),
)
WORDING: Final = {
    "categories": wording.CATEGORIES,
    "times": wording.TIMES,
    "severities": wording.SEVERITIES,
    "states": wording.STATES,
    "statuses": wording.STATUSES,
    "progress": wording.PROGRESS,
    "resolutions": wording.RESOLUTIONS,
    "triage": wording.TRIAGE,
    "who": wording.WHO,
}

SignedIn = Annotated[User, Depends(current_user)]
Given = Annotated[Deps, Depends(dependencies)]
Page = Annotated[int, Query(ge=1, le=10_000)]
Words = Annotated[str, StringConstraints(max_length=4000)]

LONG: Final = "Use 4,000 characters or fewer"


class DeclineForm(BaseModel):
    reason: Annotated[Words, Field(title="Reason")]


class UpdateForm(BaseModel):
    progress: Progress
    words: Words | None = None
    planned_for: date | None = None

    @field_validator("planned_for", mode="before")
    @classmethod
    def _one_day(cls, given: object) -> object:
        """A day as browsers send it; anything else is told in plain words."""
        try:
            return date.fromisoformat(str(given))
        except ValueError:
            raise ValueError("Enter a real day, such as 2026-11-27") from None


class ResolveForm(BaseModel):
    resolution: Resolution
    words: Words | None = None


class AssignForm(BaseModel):
    partner_id: Annotated[str, StringConstraints(max_length=41)]


@router.get("/")
async def referral_list(
    request: Request, user: SignedIn, deps: Given, state: State = "open", page: Page = 1
) -> Response:
    """Referrals, what is open and overdue first."""
    async with deps.database.transaction([user.force_id]) as tx:
        lines, more = await handlers.referrals(tx, own_partner(user), states_of(state), page)
    return render(request, "referrals.html", lines=lines, more=more, page=page, state=state, say=WORDING)


@router.get("/referrals/{referral_id}")
async def referral(request: Request, referral_id: UUID, user: SignedIn, deps: Given) -> Response:
    """One referral and what can be done about it."""
    return await _show(request, deps, user, referral_id, "referral.html")


@router.get("/referrals/{referral_id}/decline")
async def decline_form(request: Request, referral_id: UUID, user: SignedIn, deps: Given) -> Response:
    return await _show(request, deps, user, referral_id, "decline.html", Form[DeclineForm]())


@router.get("/referrals/{referral_id}/update")
async def update_form(request: Request, referral_id: UUID, user: SignedIn, deps: Given) -> Response:
    return await _show(request, deps, user, referral_id, "update.html", Form[UpdateForm]())


@router.get("/referrals/{referral_id}/resolve")
async def resolve_form(request: Request, referral_id: UUID, user: SignedIn, deps: Given) -> Response:
    return await _show(request, deps, user, referral_id, "resolve.html", Form[ResolveForm]())


@router.post("/referrals/{referral_id}/accept")
async def accept(request: Request, referral_id: UUID, user: SignedIn, deps: Given) -> Response:
    return await _answer(deps, user, Accept(user.force_id, referral_id, own_partner(user)))


@router.post("/referrals/{referral_id}/decline")
async def decline(request: Request, referral_id: UUID, user: SignedIn, deps: Given) -> Response:
    form = await forms.read(request, DeclineForm, {"reason": "Enter why you cannot act, in 4,000 characters or fewer"})
    if form.data is None:
        return await _show(request, deps, user, referral_id, "decline.html", form)
    return await _answer(deps, user, Decline(user.force_id, referral_id, own_partner(user), form.data.reason))


@router.post("/referrals/{referral_id}/update")
async def update(request: Request, referral_id: UUID, user: SignedIn, deps: Given) -> Response:
    form = await forms.read(request, UpdateForm, {"progress": "Select how the work goes", "words": LONG})
    if form.data is None:
        return await _show(request, deps, user, referral_id, "update.html", form)
    told = form.data
    return await _answer(
        deps,
        user,
        Update(user.force_id, referral_id, own_partner(user), told.progress, told.words, told.planned_for),
    )


@router.post("/referrals/{referral_id}/resolve")
async def resolve(request: Request, referral_id: UUID, user: SignedIn, deps: Given) -> Response:
    form = await forms.read(request, ResolveForm, {"resolution": "Select how it ended", "words": LONG})
    if form.data is None:
        return await _show(request, deps, user, referral_id, "resolve.html", form)
    told = form.data
    return await _answer(
        deps, user, Resolve(user.force_id, referral_id, own_partner(user), told.resolution, told.words)
    )


@router.get("/triage")
async def triage(request: Request, user: SignedIn, deps: Given, page: Page = 1) -> Response:
    """Concerns nobody covers."""
    return await _triage(request, deps, user, page)


@router.post("/triage/{concern_id}/assign")
async def assign(request: Request, concern_id: UUID, user: SignedIn, deps: Given) -> Response:
    name = f"partner-{concern_id}"
    posted = await request.form()
    chosen = posted.get("partner_id")
    if not isinstance(chosen, str) or not chosen:
        return await _triage(request, deps, user, 1, Form[AssignForm](errors=((name, "Select a partner"),)))
    command = Assign(user.force_id, concern_id, chosen)
    try:
        async with deps.database.transaction([user.force_id]) as tx:
            await handlers.assign(tx, [command], deps.clock(), policies=deps.policies, actor=user.sub)
    except (domain.PartnerUnknown, domain.PartnerAlreadyAsked) as refusal:
        form = Form[AssignForm](errors=((name, refusal.message),))
        return await _triage(request, deps, user, 1, form)
    return RedirectResponse("/triage", 303)


async def _show(
    request: Request, deps: Deps, user: User, reference: UUID, template: str, form: Form[Any] | None = None
) -> Response:
    async with deps.database.transaction([user.force_id]) as tx:
        sheet = await handlers.sheet(tx, reference, own_partner(user))
    status = 422 if form is not None and form.errors else 200
    return render(request, template, status, sheet=sheet, say=WORDING, form=form)


async def _answer(deps: Deps, user: User, command: Command) -> Response:
    async with deps.database.transaction([user.force_id]) as tx:
        await handlers.answer(tx, [command], deps.clock(), policies=deps.policies, actor=user.sub)
    return RedirectResponse(f"/referrals/{command.reference}", 303)


async def _triage(
    request: Request, deps: Deps, user: User, page: int, form: Form[AssignForm] | None = None
) -> Response:
    async with deps.database.transaction([user.force_id]) as tx:
        waiting, more = await handlers.triage(tx, page)
        partners = await handlers.partners_of(tx, user.force_id)
    status = 422 if form is not None else 200
    return render(
        request,
        "triage.html",
        status,
        waiting=waiting,
        partners=partners,
        more=more,
        page=page,
        say=WORDING,
        form=form,
    )
