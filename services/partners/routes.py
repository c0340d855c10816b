"""The JSON API: a partner sees and answers its own referrals, a coordinator those of the force.

A referral is named by the reference made for the partner: no other id of it leaves the force.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.partners import domain, handlers
from services.partners.dependencies import Deps, State, dependencies, is_police, own_partner, states_of
from services.partners.domain import (
    Accept,
    Assign,
    By,
    Command,
    Decline,
    ReferralState,
    Resolve,
    TriageReason,
    Update,
)
from shared.contracts.envelope import LongText
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.partner_view import PartnerReferralStatus
from shared.contracts.referrals import Progress, Resolution
from shared.contracts.refusals import Refusal
from shared.database import Transaction
from shared.web.session import User, current_user
from shared.working_days import day

router = APIRouter(prefix="/api/v1")

REFUSALS: dict[type[Refusal], int] = {
    domain.ReferralNotFound: 404,
    domain.PartnerUnknown: 422,
}

SignedIn = Annotated[User, Depends(current_user)]
Given = Annotated[Deps, Depends(dependencies)]
Page = Annotated[int, Query(ge=1, le=10_000)]


class Body(BaseModel):
    """What is sent; a field nobody knows is refused."""

    model_config = ConfigDict(extra="forbid")


class DeclineBody(Body):
    reason: LongText


class UpdateBody(Body):
    progress: Progress
    words: LongText | None = None
    planned_for: date | None = None


class ResolveBody(Body):
    resolution: Resolution
    words: LongText | None = None


class AssignBody(Body):
    partner_id: Annotated[str, Field(max_length=41)]


class ReferralLine(BaseModel):
    """A referral in a list. `concern_id` is for coordinators only."""

    referral_id: UUID
    partner_id: str
    partner_name: str
    state: ReferralState
    overdue: bool
    category: Reason
    severity: Severity
    area_name: str
    made_on: date
    respond_by: date
    progress: Progress | None = None
    concern_id: UUID | None = None


class ReferralList(BaseModel):
    referrals: list[ReferralLine]
    page: int
    more: bool


class ChangeView(BaseModel):
    at: datetime
    by: By
    status: PartnerReferralStatus
    progress: Progress | None = None
    words: str | None = None
    planned_for: date | None = None


class ReferralView(ReferralLine):
    """One referral with all the partner may know."""

    place: Point
    place_name: str | None = None
    time_of_day: PartOfDay | None = None
    words: str | None = None
    raised_on: date
    resolution: Resolution | None = None
    history: list[ChangeView]


class TriageLine(BaseModel):
    concern_id: UUID
    reason: TriageReason
    category: Reason
    severity: Severity
    area_name: str
    place: Point
    place_name: str | None
    words: str | None
    raised_on: date
    asked: list[str]


class TriageList(BaseModel):
    concerns: list[TriageLine]
    page: int
    more: bool


@router.get("/referrals", response_model_exclude_none=True)
async def referral_list(user: SignedIn, deps: Given, state: State | None = None, page: Page = 1) -> ReferralList:
    """Referrals, open and overdue ones first."""
    async with deps.database.transaction([user.force_id]) as tx:
        lines, more = await handlers.referrals(tx, own_partner(user), states_of(state), page)
    return ReferralList(
        referrals=[
            ReferralLine(
                referral_id=one.reference,
                partner_id=one.partner_id,
                partner_name=one.partner_name,
                state=one.state,
                overdue=one.overdue,
                category=one.category,
                severity=one.severity,
                area_name=one.area_name,
                made_on=day(one.made_at),
                respond_by=day(one.respond_by),
                progress=one.progress,
                concern_id=one.concern_id if is_police(user) else None,
            )
            for one in lines
        ],
        page=page,
        more=more,
    )


@router.get("/referrals/{referral_id}", response_model_exclude_none=True)
async def referral(referral_id: UUID, user: SignedIn, deps: Given) -> ReferralView:
    """One referral."""
    async with deps.database.transaction([user.force_id]) as tx:
        return await _view(tx, referral_id, user)


@router.post("/referrals/{referral_id}/accept", response_model_exclude_none=True)
async def accept(referral_id: UUID, user: SignedIn, deps: Given) -> ReferralView:
    """The partner will act."""
    return await _answer(deps, user, Accept(user.force_id, referral_id, own_partner(user)))


@router.post("/referrals/{referral_id}/decline", response_model_exclude_none=True)
async def decline(referral_id: UUID, body: DeclineBody, user: SignedIn, deps: Given) -> ReferralView:
    """The partner will not act; the concern goes to the next that covers it, else to triage."""
    return await _answer(deps, user, Decline(user.force_id, referral_id, own_partner(user), body.reason))


@router.post("/referrals/{referral_id}/update", response_model_exclude_none=True)
async def update(referral_id: UUID, body: UpdateBody, user: SignedIn, deps: Given) -> ReferralView:
    """How the work goes."""
    command = Update(user.force_id, referral_id, own_partner(user), body.progress, body.words, body.planned_for)
    return await _answer(deps, user, command)


@router.post("/referrals/{referral_id}/resolve", response_model_exclude_none=True)
async def resolve(referral_id: UUID, body: ResolveBody, user: SignedIn, deps: Given) -> ReferralView:
    """How it ended, in words fit for the woman who raised it."""
    return await _answer(
        deps, user, Resolve(user.force_id, referral_id, own_partner(user), body.resolution, body.words)
    )


@router.get("/triage")
async def triage(user: SignedIn, deps: Given, page: Page = 1) -> TriageList:
    """Concerns that wait for somebody to choose a partner, longest waiting first."""
    async with deps.database.transaction([user.force_id]) as tx:
        waiting, more = await handlers.triage(tx, page)
    return TriageList(
        concerns=[
            TriageLine(
                concern_id=one.concern.id,
                reason=one.concern.triage_reason or TriageReason.NOT_COVERED,
                category=one.concern.category,
                severity=one.concern.severity,
                area_name=one.concern.area_name,
                place=one.concern.place,
                place_name=one.concern.place_name,
                words=one.concern.words,
                raised_on=one.concern.raised_on,
                asked=sorted(one.asked),
            )
            for one in waiting
        ],
        page=page,
        more=more,
    )


@router.post("/triage/{concern_id}/assign", status_code=204)
async def assign(concern_id: UUID, body: AssignBody, user: SignedIn, deps: Given) -> None:
    """Refer a concern in triage to the partner chosen."""
    command = Assign(user.force_id, concern_id, body.partner_id)
    async with deps.database.transaction([user.force_id]) as tx:
        await handlers.assign(tx, [command], deps.clock(), policies=deps.policies, actor=user.sub)


async def _answer(deps: Deps, user: User, command: Command) -> ReferralView:
    async with deps.database.transaction([user.force_id]) as tx:
        await handlers.answer(tx, [command], deps.clock(), policies=deps.policies, actor=user.sub)
        return await _view(tx, command.reference, user)


async def _view(tx: Transaction, reference: UUID, user: User) -> ReferralView:
    sheet = await handlers.sheet(tx, reference, own_partner(user))
    concern, found = sheet.concern, sheet.referral
    return ReferralView(
        referral_id=found.reference,
        partner_id=found.partner_id,
        partner_name=found.partner_name,
        state=found.state,
        overdue=found.overdue,
        category=concern.category,
        severity=concern.severity,
        area_name=concern.area_name,
        made_on=day(found.made_at),
        respond_by=day(found.respond_by),
        progress=found.progress,
        concern_id=concern.id if is_police(user) else None,
        place=concern.place,
        place_name=concern.place_name,
        time_of_day=concern.time_of_day,
        words=concern.words,
        raised_on=concern.raised_on,
        resolution=found.resolution,
        history=[
            ChangeView(
                at=one.at,
                by=one.by,
                status=one.status,
                progress=one.progress,
                words=one.words,
                planned_for=one.planned_for,
            )
            for one in sheet.history
        ],
    )
