"""The JSON API of assignment: walks and follow-ups as other systems and the pages' own people use them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.assignment import domain, handlers
from services.assignment.dependencies import Dependencies, dependencies, person
from services.assignment.domain import State
from shared.contracts.envelope import ShortText, Slug
from shared.contracts.kinds import PartOfDay, Point, Reason, Severity
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import Availability, ContactRules
from shared.contracts.walks import MOST_TIMES
from shared.web.session import User, current_user

router = APIRouter(prefix="/api/v1")

REFUSALS: Final[dict[type[Refusal], int]] = {
    domain.WalkNotFound: 404,
    domain.FollowUpNotFound: 404,
    domain.NotYourWalk: 403,
    domain.NotYourFollowUp: 403,
    domain.NotOfThisTeam: 403,
    domain.NotOnRegister: 403,
    domain.NotTrained: 403,
    domain.KindNotAllowed: 403,
    domain.OfficerExcluded: 403,
    domain.WrongField: 422,
}

Deps = Annotated[Dependencies, Depends(dependencies)]
SignedIn = Annotated[User, Depends(current_user)]
Page = Annotated[int, Query(ge=1, le=10_000)]
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


class RequestView(BaseModel):
    """A request of a walk; `contact_url` is intake's page with who she is, opened with a reason and logged."""

    request_id: UUID
    requested_at: datetime
    place: Point
    place_from_postcode: bool
    lives_or_works_here: bool
    reasons: tuple[Reason, ...]
    availability: Availability
    contact: ContactRules
    group_walk_welcome: bool
    language: str
    withdrawn: bool
    amended_at: datetime | None
    route: tuple[Point, ...]
    """Where she would like to pass, `place` first; empty where it is one place."""
    contact_url: str


class ReferralView(BaseModel):
    """What a partner last said of a concern."""

    referral_id: UUID
    partner_id: str
    partner_name: str
    state: domain.ReferralState
    told_at: datetime
    words: str | None
    respond_by: date | None
    planned_for: date | None


class ConcernView(BaseModel):
    """A concern raised on the walk, and what partners said of it."""

    concern_id: UUID
    category: Reason
    place: Point
    place_name: str | None
    time_of_day: PartOfDay | None
    severity: Severity
    words: str | None
    raised_on: date
    referrals: tuple[ReferralView, ...] = ()


class ProposalView(BaseModel):
    """Times proposed to her. `answer` is empty while she can choose; `chosen` a time that had gone when she did."""

    proposal_id: UUID
    times: tuple[datetime, ...]
    meeting_place: str
    answer_by: datetime
    answer: domain.ProposalAnswer | None
    chosen: datetime | None


class WalkView(BaseModel):
    """A walk. `do_not_contact`: she has said that contact is no longer safe."""

    walk_id: UUID
    state: State
    do_not_contact: bool
    requested_at: datetime
    arrange_by: datetime
    area_id: str | None
    team_id: str | None
    boundary_version: str | None
    routed_by: str | None
    distance_m: float | None
    triage_reason: str | None
    officer_id: str | None
    starts_at: datetime | None
    meeting_place: str | None
    started_at: datetime | None
    ended_at: datetime | None
    streetsafe_shown: bool
    cancel_reason: str | None
    proposal: ProposalView | None = None
    requests: tuple[RequestView, ...]
    concerns: tuple[ConcernView, ...] = ()


class WalkList(BaseModel):
    """A page of walks, 50 at most; `more` when another page follows."""

    walks: tuple[WalkView, ...]
    page: int
    more: bool


class FollowUpView(BaseModel):
    """A call or visit that is wanted, or a review by the team. `officer_id` empty: a coordinator's."""

    follow_up_id: UUID
    kind: domain.FollowUpKind
    urgency: str
    opened_at: datetime
    due_at: datetime
    overdue: bool
    request_id: UUID | None
    walk_id: UUID | None
    officer_id: str | None
    reasons: tuple[str, ...]
    completed_at: datetime | None
    outcome: str | None


class FollowUpList(BaseModel):
    """A page of follow-ups, 50 at most, what is due first; `more` when another page follows."""

    follow_ups: tuple[FollowUpView, ...]
    page: int
    more: bool


def walk_view(walk: domain.Walk, deps: Dependencies, record: handlers.WalkRecord | None = None) -> WalkView:
    """A walk as the API shows it; with its concerns where the whole record was read."""
    located = walk.located
    referrals: Mapping[UUID, list[ReferralView]] = {}
    if record is not None:
        referrals = {concern.id: [] for concern in record.concerns}
        for told in record.referrals:
            referrals[told.concern_id].append(
                ReferralView(
                    referral_id=told.id,
                    partner_id=told.partner_id,
                    partner_name=told.partner_name,
                    state=told.state,
                    told_at=told.told_at,
                    words=told.words,
                    respond_by=told.respond_by,
                    planned_for=told.planned_for,
                )
            )
    return WalkView(
        walk_id=walk.id,
        state=walk.state,
        do_not_contact=walk.contact_stopped,
        requested_at=walk.requested_at,
        arrange_by=walk.arrange_by,
        area_id=located.area_id if located else None,
        team_id=located.team_id if located else None,
        boundary_version=located.boundary_version if located else None,
        routed_by=located.how.value if located else None,
        distance_m=located.distance_m if located else None,
        triage_reason=walk.triage_reason,
        officer_id=walk.officer_id,
        starts_at=walk.starts_at,
        meeting_place=walk.meeting_place,
        started_at=walk.started_at,
        ended_at=walk.ended_at,
        streetsafe_shown=walk.streetsafe_shown,
        cancel_reason=walk.cancel_reason,
        proposal=proposal_view(walk.proposal),
        requests=tuple(
            RequestView(
                request_id=request.id,
                requested_at=request.requested_at,
                place=request.place,
                place_from_postcode=request.place_from_postcode,
                lives_or_works_here=request.lives_or_works_here,
                reasons=request.reasons,
                availability=request.availability,
                contact=request.contact,
                group_walk_welcome=request.group_walk_welcome,
                language=request.language,
                withdrawn=request.withdrawn_at is not None,
                amended_at=request.amended_at,
                route=request.route,
                contact_url=contact_url(deps, request.id),
            )
            for request in walk.requests
        ),
        concerns=tuple(
            ConcernView(
                concern_id=concern.id,
                category=concern.category,
                place=concern.place,
                place_name=concern.place_name,
                time_of_day=concern.time_of_day,
                severity=concern.severity,
                words=concern.words,
                raised_on=concern.raised_on,
                referrals=tuple(referrals[concern.id]),
            )
            for concern in (record.concerns if record else ())
        ),
    )


def proposal_view(found: domain.Proposal | None) -> ProposalView | None:
    """Proposed times as the API shows them."""
    if found is None:
        return None
    return ProposalView(
        proposal_id=found.id,
        times=found.times,
        meeting_place=found.meeting_place,
        answer_by=found.answer_by,
        answer=found.answer,
        chosen=found.chosen,
    )


def contact_url(deps: Dependencies, request_id: UUID) -> str:
    """Intake's contact card of a request: rules first, opened with a reason, logged."""
    return f"{deps.settings.intake_url.rstrip('/')}/staff/requests/{request_id}/contact"


def follow_up_view(found: domain.FollowUp, now: datetime) -> FollowUpView:
    """A follow-up as the API shows it."""
    return FollowUpView(
        follow_up_id=found.id,
        kind=found.kind,
        urgency=found.urgency.value,
        opened_at=found.opened_at,
        due_at=found.due_at,
        overdue=found.completed_at is None and found.due_at < now,
        request_id=found.request_id,
        walk_id=found.walk_id,
        officer_id=found.officer_id,
        reasons=found.reasons,
        completed_at=found.completed_at,
        outcome=found.outcome,
    )


@router.get("/walks")
async def list_walks(
    user: SignedIn,
    deps: Deps,
    state: State = State.ROUTED,
    team_id: Annotated[Slug | None, Query()] = None,
    page: Page = 1,
) -> WalkList:
    """Walks in a state, longest waiting first: an officer's own teams, a coordinator's force."""
    async with deps.database.transaction([user.force_id]) as tx:
        found, more = await handlers.list_walks(tx, await person(tx, user), state, team_id, page)
    return WalkList(walks=tuple(walk_view(walk, deps) for walk in found), page=page, more=more)


@router.get("/walks/{walk_id}")
async def look_at_walk(walk_id: UUID, user: SignedIn, deps: Deps) -> WalkView:
    """One walk with its concerns and what partners said of them; the look is logged."""
    async with deps.database.transaction([user.force_id]) as tx:
        record = await handlers.look_at_walk(tx, walk_id, await person(tx, user), deps.clock())
    return walk_view(record.walk, deps, record)


@router.post("/walks/{walk_id}/take")
async def take(walk_id: UUID, body: TakeBody, user: SignedIn, deps: Deps) -> WalkView:
    """Take a walk on, once."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = handlers.Take(walk_id, await person(tx, user), body.officer_id)
        (walk,) = await handlers.take(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/arrange")
async def arrange(walk_id: UUID, body: ArrangeBody, user: SignedIn, deps: Deps) -> WalkView:
    """Time and meeting place are agreed; again for another time."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = handlers.Arrange(walk_id, await person(tx, user), body.starts_at, body.meeting_place)
        (walk,) = await handlers.arrange(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/propose")
async def propose(walk_id: UUID, body: ProposeBody, user: SignedIn, deps: Deps) -> WalkView:
    """Propose times for her to choose from; again to replace them."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        command = handlers.Propose(walk_id, by, body.times, body.meeting_place, body.answer_by)
        (walk,) = await handlers.propose(tx, [command], deps.clock(), policies=deps.policies)
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/cancel")
async def cancel(walk_id: UUID, body: CancelBody, user: SignedIn, deps: Deps) -> WalkView:
    """The walk will not take place."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = handlers.Cancel(walk_id, await person(tx, user), body.reason)
        (walk,) = await handlers.cancel(tx, [command], deps.clock())
    return walk_view(walk, deps)


@router.post("/walks/{walk_id}/complete")
async def complete(walk_id: UUID, body: CompleteBody, user: SignedIn, deps: Deps) -> WalkView:
    """Record a walk that was held, and its concerns."""
    async with deps.database.transaction([user.force_id]) as tx:
        by = await person(tx, user)
        command = handlers.Complete(
            walk_id,
            by,
            body.started_at,
            body.ended_at,
            body.streetsafe_shown,
            [domain.RecordedConcern(**dict(concern)) for concern in body.concerns],
        )
        await handlers.complete(tx, [command], deps.clock(), policies=deps.policies)
        record = await handlers.look_at_walk(tx, walk_id, by, deps.clock())
    return walk_view(record.walk, deps, record)


@router.post("/walks/{walk_id}/route")
async def route(walk_id: UUID, body: RouteBody, user: SignedIn, deps: Deps) -> WalkView:
    """A coordinator gives a walk in triage its area."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = handlers.Route(walk_id, await person(tx, user), body.area_id)
        (walk,) = await handlers.route_by_hand(tx, [command], deps.clock())
    return walk_view(walk, deps)


@router.get("/follow-ups")
async def list_follow_ups(
    user: SignedIn, deps: Deps, state: Literal["open", "completed"] = "open", page: Page = 1
) -> FollowUpList:
    """Follow-ups, what is overdue first: an officer's own, a coordinator's force."""
    async with deps.database.transaction([user.force_id]) as tx:
        found, more = await handlers.list_follow_ups(tx, await person(tx, user), page, is_open=state == "open")
    now = deps.clock()
    return FollowUpList(follow_ups=tuple(follow_up_view(each, now) for each in found), page=page, more=more)


@router.post("/follow-ups/{follow_up_id}/complete")
async def complete_follow_up(
    follow_up_id: UUID, body: CompleteFollowUpBody, user: SignedIn, deps: Deps
) -> FollowUpView:
    """The call, visit or review has been made, or given up."""
    async with deps.database.transaction([user.force_id]) as tx:
        command = handlers.CompleteFollowUp(follow_up_id, await person(tx, user), body.outcome)
        (done,) = await handlers.complete_follow_ups(tx, [command], deps.clock())
    return follow_up_view(done, deps.clock())
